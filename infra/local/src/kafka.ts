import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { access, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Kafka, logLevel } from "kafkajs";
import { startProgram } from "./external-program.js";
import { javaCommand } from "./java.js";
import { kafkaClassPath, kafkaFolder } from "./kafka-jars.js";
import { brokerProperties } from "./kafka-properties.js";
import { LaunchError } from "./launch-error.js";
import { type OnProgress, silent, step } from "./progress.js";
import type { RunningProgram } from "./running-program.js";
import { waitUntil } from "./wait-until.js";

const run = promisify(execFile);
const readyTimeoutMs = 60_000;

export interface KafkaOptions {
  /** Everything of this broker is kept here, and found here again by the next start. */
  readonly dataDir: string;
  readonly port: number;
  readonly controllerPort: number;
  readonly logFile?: string;
  readonly onProgress?: OnProgress;
}

export interface RunningKafka extends RunningProgram {
  /** `host:port` of the one broker. */
  readonly brokers: string;
}

/** Runs a real Kafka broker from its own jars. It ends with this process. */
export async function startKafka(options: KafkaOptions): Promise<RunningKafka> {
  const { dataDir, port, controllerPort, onProgress = silent } = options;
  const logFile = options.logFile ?? join(dataDir, "kafka.log");
  const classPath = await kafkaClassPath(onProgress);
  return step(onProgress, `Kafka on 127.0.0.1:${port}`, async () => {
    const logDir = join(dataDir, "log");
    const propertiesFile = join(dataDir, "server.properties");
    await mkdir(dataDir, { recursive: true });
    await writeFile(propertiesFile, brokerProperties({ logDir, port, controllerPort }));
    await format({ classPath, propertiesFile, logDir });

    const program = await startProgram({
      name: "kafka",
      command: javaCommand(),
      args: ["-Xmx512m", "-Xms128m", ...jvmOptions(classPath), "kafka.Kafka", propertiesFile],
      env: process.env,
      logFile,
      stopSignal: "SIGTERM",
    });
    try {
      await waitUntil(() => answers(port), {
        what: "Kafka",
        timeoutMs: readyTimeoutMs,
        unless: program.failure,
      });
    } catch (error) {
      program.kill();
      await program.failure.catch(() => undefined);
      throw error;
    }
    return { ...program, brokers: `127.0.0.1:${port}` };
  });
}

function jvmOptions(classPath: string): string[] {
  return [
    // One machine gains more from a start at half the cost than from the last bit of a broker's throughput.
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xshare:auto",
    "-Djava.awt.headless=true",
    `-Dlog4j2.configurationFile=${join(kafkaFolder, "log4j2.properties")}`,
    "-cp",
    classPath,
  ];
}

/** A log directory must be formatted once; Kafka marks it with `meta.properties`. */
async function format(broker: { classPath: string; propertiesFile: string; logDir: string }): Promise<void> {
  const formatted = await access(join(broker.logDir, "meta.properties")).then(
    () => true,
    () => false,
  );
  if (formatted) return;
  const clusterId = randomBytes(16).toString("base64url").replace(/^-/, "A");
  const args = ["kafka.tools.StorageTool", "format", "-t", clusterId, "-c", broker.propertiesFile];
  await run(javaCommand(), [...jvmOptions(broker.classPath), ...args]).catch((cause: unknown) => {
    throw new LaunchError("program_failed", `Kafka could not format ${broker.logDir}.`, { cause });
  });
}

async function answers(port: number): Promise<boolean> {
  const admin = new Kafka({
    brokers: [`127.0.0.1:${port}`],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 1_000,
    retry: { retries: 0 },
  }).admin();
  try {
    await admin.connect();
    await admin.listTopics();
    return true;
  } finally {
    await admin.disconnect();
  }
}
