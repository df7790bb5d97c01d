import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exportBundle, verifierKey } from "./bundle.fixture.js";

const binary = fileURLToPath(new URL("../bin/countersign.js", import.meta.url));
const isBuilt = existsSync(fileURLToPath(new URL("../dist/main.js", import.meta.url)));

interface Run {
  readonly exitCode: number | string | null | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

const run = (args: readonly string[], stdin = ""): Promise<Run> =>
  new Promise((resolve) => {
    const child = execFile(process.execPath, [binary, ...args], (error, stdout, stderr) => {
      resolve({ exitCode: error === null ? 0 : error.code, stdout, stderr });
    });
    child.stdin?.end(stdin);
  });

describe.runIf(isBuilt)("the countersign program", { timeout: 60_000 }, () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "countersign-cli-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each([
    ["no command", []],
    ["an unknown command", ["prove"]],
    ["an unknown option", ["verify", "--yes", "-"]],
    ["no file", ["verify"]],
    ["a file that is not there", ["verify", "/nowhere/evidence.ndjson"]],
    ["a key that is none", ["verify", "-", "--key", "/nowhere/log.vkey"]],
  ])("exits with 2 for %s, and says so", async (_, args) => {
    const { exitCode, stderr } = await run(args);
    expect(exitCode).toBe(2);
    expect(stderr).not.toBe("");
    expect(stderr).not.toContain("    at ");
  });

  it("exits with 1 where evidence is not proven, and with 0 where it is", async () => {
    const bundle = await exportBundle();
    const file = join(folder, "evidence.ndjson");
    await writeFile(file, bundle);
    expect(await run(["verify", file, "--key", verifierKey])).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await run(["verify", "-"], bundle)).toMatchObject({ exitCode: 0 });
    const changed = await run(["verify", "-"], bundle.replace("CallCompleted", "CallRefused"));
    expect(changed).toMatchObject({ exitCode: 1, stderr: "" });
    expect(changed.stdout).toMatch(/^NOT PROVEN/);
  });

  it("checks configuration and policies", async () => {
    const root = fileURLToPath(new URL("../../../countersign.yaml", import.meta.url));
    expect(await run(["config", "check", root])).toMatchObject({ exitCode: 0 });
    expect(await run(["policy", "check", root])).toMatchObject({ exitCode: 0 });
    expect(await run(["config", "check", join(folder, "absent.yaml")])).toMatchObject({ exitCode: 1 });
  });

  it("explains itself", async () => {
    const { exitCode, stdout } = await run(["--help"]);
    expect(exitCode).toBe(0);
    for (const command of ["mask", "verify", "config", "policy"]) expect(stdout).toContain(`  ${command}`);
  });
});

describe.skipIf(isBuilt)("the countersign program", () => {
  it("is not built: run npm run build", (context) => {
    context.skip("apps/cli/dist is absent");
    expect.unreachable();
  });
});
