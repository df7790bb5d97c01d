import { execFile } from "node:child_process";
import { access, constants, statfs } from "node:fs/promises";
import { dirname, relative } from "node:path";
import { promisify } from "node:util";
import { isPortFree } from "@countersign/service-kit/ports";
import { javaCommand, javaVersionOf } from "./java.js";
import { areKafkaJarsCached } from "./kafka-jars.js";
import type { PortName, Ports } from "./plan.js";
import { postgresBinaries, postgresPackage } from "./postgres-binaries.js";
import { asUser, isBehindClosedFolder, postgresUser } from "./postgres-user.js";
import type { Facts } from "./preflight.js";
import { repositoryRoot } from "./repository.js";

const run = promisify(execFile);
const probeTimeoutMs = 20_000;

export interface Needs {
  readonly kafka: boolean;
  readonly postgres: boolean;
  readonly ports: Ports;
  readonly listening: readonly PortName[];
  readonly dataDir: string;
  /** Built programs that will be started. */
  readonly programs: readonly string[];
}

/** Looks at this machine; changes nothing on it. */
export async function gatherFacts(needs: Needs): Promise<Facts> {
  const [kafka, postgres, takenPorts, dataDir, unbuilt] = await Promise.all([
    needs.kafka ? kafkaFacts() : undefined,
    needs.postgres ? postgresFacts(needs.dataDir) : undefined,
    findTaken(needs),
    dataDirFacts(needs.dataDir),
    findMissing(needs.programs),
  ]);
  return {
    nodeVersion: process.versions.node,
    ...(kafka && { kafka }),
    ...(postgres && { postgres }),
    takenPorts,
    dataDir,
    unbuilt,
  };
}

async function kafkaFacts() {
  const [javaVersion, jarsCached, maven] = await Promise.all([
    // `java -version` answers on standard error.
    succeeds(javaCommand(), ["-version"]).then((output) => javaVersionOf(output ?? "")),
    areKafkaJarsCached(),
    succeeds("mvn", ["-v"]),
  ]);
  return { javaVersion, jarsCached, maven: maven !== undefined };
}

async function succeeds(command: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await run(command, args, { timeout: probeTimeoutMs });
    return stdout + stderr;
  } catch {
    return undefined;
  }
}

async function postgresFacts(dataDir: string) {
  try {
    const { postgres, initdb } = await postgresBinaries();
    const user = await postgresUser();
    const closed = await isBehindClosedFolder([postgres, dataDir]);
    for (const program of [postgres, initdb]) {
      const [command, ...args] = asUser([program, "--version"], user, closed);
      await run(command, args, { cwd: "/", timeout: probeTimeoutMs });
    }
    return { failure: undefined, package: postgresPackage() };
  } catch (error) {
    const lines = String(error instanceof Error ? error.message : error)
      .trim()
      .split("\n");
    return { failure: lines.at(-1) ?? "unknown", package: postgresPackage() };
  }
}

async function findTaken({ ports, listening }: Needs): Promise<Facts["takenPorts"]> {
  const free = await Promise.all(listening.map((name) => isPortFree(ports[name])));
  return listening.filter((_name, index) => !free[index]).map((name) => ({ name, port: ports[name] }));
}

async function dataDirFacts(path: string): Promise<Facts["dataDir"]> {
  const { bavail, bsize } = await statfs(await nearestExisting(path));
  const writable = await isWritableOrCreatable(path);
  return { path, writable, freeBytes: bavail * bsize };
}

export async function isWritableOrCreatable(folder: string): Promise<boolean> {
  return can(await nearestExisting(folder), constants.W_OK);
}

async function nearestExisting(path: string): Promise<string> {
  for (let folder = path; ; folder = dirname(folder)) {
    if (folder === dirname(folder) || (await exists(folder))) return folder;
  }
}

async function findMissing(programs: readonly string[]): Promise<string[]> {
  const found = await Promise.all(programs.map(exists));
  return programs.filter((_file, index) => !found[index]).map((file) => relative(repositoryRoot, file));
}

const can = (path: string, mode: number) =>
  access(path, mode).then(
    () => true,
    () => false,
  );
const exists = (path: string) => can(path, constants.F_OK);
