import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { access, mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { LaunchError } from "./launch-error.js";
import { type OnProgress, step } from "./progress.js";
import { repositoryRoot } from "./repository.js";

const run = promisify(execFile);
const downloadTimeoutMs = 10 * 60_000;

export const kafkaFolder = join(repositoryRoot, "infra/kafka");

export interface Checksum {
  readonly sha256: string;
  readonly file: string;
}

/** Parses the format that `sha256sum` writes and checks. */
export function parseChecksums(text: string): Checksum[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const match = /^([0-9a-f]{64}) [ *]([\w.-]+\.jar)$/.exec(line);
      if (!match?.[1] || !match[2]) throw new Error(`not a checksum line: ${line}`);
      return { sha256: match[1], file: match[2] };
    });
}

export function kafkaVersion(checksums: readonly Checksum[]): string {
  for (const { file } of checksums) {
    const match = /^kafka_2\.13-(.+)\.jar$/.exec(file);
    if (match?.[1]) return match[1];
  }
  throw new Error("the list of checksums does not name kafka_2.13");
}

/** The files whose content is not the committed one, missing ones included. */
export async function unexpectedJars(folder: string, checksums: readonly Checksum[]): Promise<string[]> {
  const verdicts = await Promise.all(
    checksums.map(async ({ file, sha256 }) => {
      const content = await readFile(join(folder, file)).catch(() => undefined);
      const same = content !== undefined && createHash("sha256").update(content).digest("hex") === sha256;
      return same ? [] : [file];
    }),
  );
  return verdicts.flat();
}

async function readChecksums(): Promise<Checksum[]> {
  return parseChecksums(await readFile(join(kafkaFolder, "checksums.sha256"), "utf8"));
}

function cacheFolder(checksums: readonly Checksum[]): string {
  const cache = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  return join(cache, "countersign", `kafka-${kafkaVersion(checksums)}`);
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

export async function areKafkaJarsCached(): Promise<boolean> {
  return exists(cacheFolder(await readChecksums()));
}

/**
 * The Java class path of a Kafka broker. The jars are fetched once, and their checksums are compared each time, so
 * that a damaged or replaced jar never runs. Only jars on the committed list are on the class path.
 */
export async function kafkaClassPath(onProgress: OnProgress): Promise<string> {
  const checksums = await readChecksums();
  const folder = cacheFolder(checksums);
  if (!(await exists(folder))) {
    await step(onProgress, "Kafka's jars fetched by Maven (this once)", () => fetchJars(folder, checksums));
  }
  await verify(folder, checksums);
  return checksums.map(({ file }) => join(folder, file)).join(":");
}

async function verify(folder: string, checksums: readonly Checksum[]): Promise<void> {
  const unexpected = await unexpectedJars(folder, checksums);
  if (unexpected.length === 0) return;
  throw new LaunchError(
    "checksum_mismatch",
    `${unexpected.length} of Kafka's jars in ${folder} are not the ones that infra/kafka/checksums.sha256 lists ` +
      `(first: ${unexpected[0]}). Nothing was run. Remove that folder and start again to fetch them anew.`,
  );
}

/** Fetches beside the final folder and renames, so that a broken or a second download never leaves half a folder. */
async function fetchJars(folder: string, checksums: readonly Checksum[]): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  const incoming = await mkdtemp(`${folder}.incoming-`);
  try {
    await run(
      "mvn",
      [
        "-q",
        "-B",
        "-f",
        join(kafkaFolder, "pom.xml"),
        "dependency:copy-dependencies",
        "-DincludeScope=runtime",
        `-DoutputDirectory=${incoming}`,
      ],
      { timeout: downloadTimeoutMs },
    ).catch((cause: unknown) => {
      throw new LaunchError(
        "download_failed",
        `Maven could not fetch Kafka's jars. Run it by hand to see why: mvn -f infra/kafka/pom.xml dependency:copy-dependencies.`,
        { cause },
      );
    });
    await verify(incoming, checksums);
    await rename(incoming, folder).catch(async (cause: unknown) => {
      if (!(await exists(folder))) throw cause;
    });
  } finally {
    await rm(incoming, { recursive: true, force: true });
  }
}
