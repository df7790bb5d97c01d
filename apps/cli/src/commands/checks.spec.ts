import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkConfiguration } from "./config-check.js";
import { checkPolicyFiles } from "./policy-check.js";

const root = fileURLToPath(new URL("../../../../", import.meta.url));
let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "countersign-check-"));
  path = join(folder, "countersign.yaml");
  await cp(join(root, "countersign.yaml"), path);
  await cp(join(root, "policies"), join(folder, "policies"), { recursive: true });
});
afterEach(() => rm(folder, { recursive: true }));

const breakConfiguration = async () => {
  const text = await readFile(path, "utf8");
  await writeFile(path, text.replace("maximum: 1h", "maximum: soon").replace("idle: 15m", "idle: never"));
};
const breakPolicies = () =>
  writeFile(join(folder, "policies", "broken.cedar"), "permit (principal, action, resource)");

describe("countersign config check", () => {
  it("says all that is wrong at once, in the file and in the policies, each with a fix", async () => {
    await breakConfiguration();
    await breakPolicies();
    const { text, exitCode } = await checkConfiguration(path, {});
    expect(exitCode).toBe(1);
    expect(text).toMatch(/^countersign\.yaml:\d+: endpoints\[0\]\.session\.maximum .+\n {2}fix: .+$/m);
    expect(text).toMatch(/^countersign\.yaml:\d+: endpoints\[0\]\.session\.idle .+\n {2}fix: .+$/m);
    expect(text).toMatch(/^policies\/broken\.cedar:1: .+\n {2}fix: .+$/m);
    expect(text).toMatch(/^3 problems$/m);
  });

  it("says what to do where there is no configuration", async () => {
    const { text, exitCode } = await checkConfiguration(join(folder, "absent.yaml"), {});
    expect(exitCode).toBe(1);
    expect(text).toContain("absent.yaml: cannot be read\n  fix: Create ");
  });

  it("passes the configuration of this repository", async () => {
    const { text, exitCode } = await checkConfiguration(path, {});
    expect(exitCode).toBe(0);
    expect(text).toMatch(
      /is in order: 1 endpoint, 1 identity provider, 2 policy files\.\nbundle version [0-9a-f]{64}\n$/,
    );
  });
});

describe("countersign policy check", () => {
  it("takes policies about the length of a session, by a schema that declares it, and older schemas as they are", async () => {
    const schema = join(folder, "policies", "schema.cedarschema");
    const newer = await readFile(schema, "utf8");
    const older = newer.replace(/^\s*minutes: Long,.*\n/gm, "");
    expect(older).not.toBe(newer);
    await writeFile(schema, older);
    expect((await checkPolicyFiles(path, {})).exitCode).toBe(0);
    const about = `@id("length") forbid (principal, action == Action::"openSession", resource)
when { context.minutes > 60 } unless { principal in Group::"oncall" };`;
    await writeFile(join(folder, "policies", "length.cedar"), about);
    const { text, exitCode } = await checkPolicyFiles(path, {});
    expect(exitCode).toBe(1);
    expect(text).toMatch(/^policies\/length\.cedar:2: .*minutes/m);
    await writeFile(schema, newer);
    expect((await checkPolicyFiles(path, {})).exitCode).toBe(0);
  });

  it("says what is wrong in the policies", async () => {
    await breakPolicies();
    const { text, exitCode } = await checkPolicyFiles(path, {});
    expect(exitCode).toBe(1);
    expect(text).toMatch(/^policies\/broken\.cedar:1: .+\n {2}fix: .+\n1 problem in the policies\n$/);
  });

  it("does not pass policies whose configuration cannot be used, and says where to look", async () => {
    await breakConfiguration();
    const { text, exitCode } = await checkPolicyFiles(path, {});
    expect(exitCode).toBe(1);
    expect(text).toBe(
      `0 problems in the policies\ncountersign.yaml itself has 2 problems. Run: countersign config check ${path}\n`,
    );
  });

  it("passes the policies of this repository", async () => {
    const { text, exitCode } = await checkPolicyFiles(path, {});
    expect(exitCode).toBe(0);
    expect(text).toMatch(
      /^2 policy files are in order:\n {2}gateway\.cedar\n {2}payments\.cedar\nbundle version [0-9a-f]{64}\n$/,
    );
  });
});
