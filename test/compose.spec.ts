import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { servicePorts } from "@countersign/contracts";
import { beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { generators, shares } from "../infra/setup/src/secrets.js";

const run = promisify(execFile);
const root = join(import.meta.dirname, "..");

interface Part {
  readonly user?: string;
  readonly ports?: readonly string[];
  readonly cap_drop?: readonly string[];
  readonly cap_add?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly read_only?: boolean;
  readonly healthcheck?: object;
  readonly profiles?: readonly string[];
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly volumes?: readonly string[];
}

/** The compose command of this machine, as a plug-in or by itself. */
async function composeCommand(): Promise<readonly string[] | undefined> {
  for (const command of [["docker", "compose"], ["docker-compose"]]) {
    const [program = "", ...args] = command;
    if (await run(program, [...args, "version"]).then(Boolean, () => false)) return command;
  }
  return undefined;
}

describe("docker-compose.yml", () => {
  let parts: Readonly<Record<string, Part>>;
  beforeAll(async () => {
    const text = await readFile(join(root, "docker-compose.yml"), "utf8");
    parts = (parse(text, { merge: true }) as { services: typeof parts }).services;
  });

  it("listens on this machine's loopback address alone", () => {
    const ports = Object.values(parts).flatMap((part) => part.ports ?? []);
    expect(ports.length).toBeGreaterThan(0);
    expect(ports.filter((port) => !port.startsWith("127.0.0.1:"))).toEqual([]);
  });

  it("gives no part a power that it does not need", () => {
    for (const [name, part] of Object.entries(parts)) {
      expect([name, part.cap_drop, part.security_opt]).toEqual([name, ["ALL"], ["no-new-privileges:true"]]);
      expect([name, part.read_only]).toEqual([name, name === "kafka" ? undefined : true]);
      expect([name, part.cap_add !== undefined, part.user === "0:0"]).toEqual([
        name,
        name === "secrets",
        name === "secrets",
      ]);
    }
  });

  it("holds no secret: what sounds like one is the name of a file", () => {
    for (const [name, part] of Object.entries(parts)) {
      for (const [variable, value] of Object.entries(part.environment ?? {})) {
        if (!/SECRET|TOKEN|PASSWORD|KEY/.test(variable) || variable === "SECRETS_DIR") continue;
        expect([name, variable, String(value)]).toEqual([
          name,
          expect.stringMatching(/_FILES?$/),
          expect.stringMatching(/^\/(run\/countersign|secrets\/setup)\/[\w.-]+$/),
        ]);
      }
      expect(JSON.stringify(part)).not.toMatch(/:\/\/[^/@"]*:[^/@"]*@/);
    }
  });

  it("shows each part its own secrets and no other's, and all that it names", () => {
    const secretVolumes = (part: Part | undefined): string[] =>
      (part?.volumes ?? []).filter((volume) => volume.startsWith("secrets-"));
    expect(secretVolumes(parts["secrets"])).toHaveLength(Object.keys(shares).length + 1);
    const readers = Object.entries(parts).filter(([name]) => name !== "secrets" && name !== "setup");
    for (const [name, part] of readers) {
      expect([name, secretVolumes(part)]).toEqual([
        name,
        name in shares ? [`secrets-${name}:/run/countersign:ro`] : [],
      ]);
      const named = Object.values(part.environment ?? {})
        .map((value) => /^\/run\/countersign\/(.+)$/.exec(String(value))?.[1])
        .filter((file) => file !== undefined && file !== "database-url");
      expect(Object.keys(shares[name]?.files ?? {})).toEqual(expect.arrayContaining(named));
    }
    const shared = Object.values(shares).flatMap(({ files }) => Object.values(files));
    expect(new Set(shared)).toEqual(new Set(Object.keys(generators)));
  });

  it("runs every service on its own port, and asks each whether it is ready", () => {
    for (const [name, port] of Object.entries(servicePorts)) {
      expect([name, parts[name]?.environment?.["PORT"]]).toEqual([name, port]);
      expect(parts[name]?.ports).toContain(`127.0.0.1:${port}:${port}`);
      expect(JSON.stringify(parts[name]?.healthcheck)).toContain("/readyz");
    }
  });

  it("keeps an identity provider without passwords to those who ask for it", () => {
    expect([parts["dev-idp"]?.profiles, parts["payments"]?.profiles]).toEqual([["demo"], ["demo"]]);
  });

  it("is read by docker compose", async ({ skip }) => {
    const [program = "", ...args] = (await composeCommand()) ?? [];
    if (program === "") skip("there is no docker compose on this machine");
    const { stdout } = await run(program, [...args, "--profile", "demo", "config", "--services"], {
      cwd: root,
    });
    expect(new Set(stdout.trim().split("\n"))).toEqual(new Set(Object.keys(parts)));
  });
});
