import { rmSync } from "node:fs";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts, startKafka, startPostgres } from "@countersign/local";
import { ensureTopics } from "../infra/setup/src/topics.js";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  export interface ProvidedContext {
    /** `host:port`, or several of them separated by commas. */
    kafkaBrokers: string;
    /** A superuser's connection string. Each spec creates a database of its own. */
    adminDatabaseUrl: string;
  }
}

/** Ports are free when they are chosen and may be taken a moment later; then the next ones are tried. */
const attemptsMax = 3;

/** One Kafka broker and one PostgreSQL server for all specs of a run; existing ones where the environment names them. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { KAFKA_BROKERS: existingBrokers, DATABASE_URL: existingDatabase } = process.env;
  const folder = await mkdtemp(join(tmpdir(), "countersign-test-"));
  // PostgreSQL does not run as root; the user it runs as must be able to pass.
  await chmod(folder, 0o755);

  // A run that is interrupted has no time for the teardown: the programs end with it, the folder goes here.
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));

  const kafka = existingBrokers ? undefined : withRetry(startTestKafka(folder));
  const postgres = existingDatabase ? undefined : withRetry(startTestPostgres(folder));
  const teardown = async () => {
    await Promise.allSettled([
      kafka?.then((broker) => broker.stop()),
      postgres?.then((server) => server.stop()),
    ]);
    await rm(folder, { recursive: true, force: true });
  };

  try {
    const [broker, server] = await Promise.all([kafka, postgres]);
    const brokers = existingBrokers || (broker?.brokers ?? "");
    // Specs of one run share the topics, as services do; a race between them for the making of one would not be news.
    await ensureTopics(brokers);
    project.provide("kafkaBrokers", brokers);
    project.provide("adminDatabaseUrl", existingDatabase || (server?.adminUrl ?? ""));
  } catch (error) {
    await teardown();
    throw error;
  }
  return teardown;
}

const startTestKafka = (folder: string) => async () => {
  const [port = 0, controllerPort = 0] = await freePorts(2);
  return startKafka({ dataDir: join(folder, `kafka-${port}`), port, controllerPort });
};

const startTestPostgres = (folder: string) => async () => {
  const [port = 0] = await freePorts(1);
  return startPostgres({
    dataDir: join(folder, "postgres"),
    port,
    // The data of a test need not survive a power cut.
    settings: { fsync: "off" },
  });
};

async function withRetry<T>(start: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start();
    } catch (error) {
      if (attempt === attemptsMax) throw error;
    }
  }
}
