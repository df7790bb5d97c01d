import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Kafka, logLevel } from "kafkajs";
import { Client } from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freePorts } from "@countersign/service-kit/ports";
import { startKafka } from "./kafka.js";
import { startPostgres } from "./postgres.js";

describe("a restart on the same data", () => {
  let dataDir: string;
  beforeEach(async () => {
    // Closed to others on purpose: a checkout below root's home is, too.
    dataDir = await mkdtemp(join(tmpdir(), "countersign-same-data-"));
    await chmod(dataDir, 0o700);
  });
  afterEach(() => rm(dataDir, { recursive: true, force: true }));

  it("finds Kafka's topics again, even after a crash", async () => {
    const [port = 0, controllerPort = 0] = await freePorts(2);
    const options = { dataDir, port, controllerPort };
    const topic = "local.same-data";
    const withAdmin = async <T>(use: (admin: ReturnType<Kafka["admin"]>) => Promise<T>): Promise<T> => {
      const admin = new Kafka({ brokers: [`127.0.0.1:${port}`], logLevel: logLevel.NOTHING }).admin();
      await admin.connect();
      try {
        return await use(admin);
      } finally {
        await admin.disconnect();
      }
    };

    const first = await startKafka(options);
    await withAdmin((admin) => admin.createTopics({ topics: [{ topic }], waitForLeaders: false }));
    first.kill();
    await expect(first.failure).rejects.toThrow("was stopped");
    const second = await startKafka(options);
    try {
      expect(await withAdmin((admin) => admin.listTopics())).toContain(topic);
    } finally {
      await second.stop();
    }
  });

  it("finds PostgreSQL's tables again, even after a crash", async () => {
    const [port = 0] = await freePorts(1);
    const query = async (connectionString: string, sql: string) => {
      const client = new Client({ connectionString });
      await client.connect();
      try {
        return await client.query(sql);
      } finally {
        await client.end();
      }
    };

    const first = await startPostgres({ dataDir, port });
    await query(first.adminUrl, "CREATE TABLE kept AS SELECT 1 AS one");
    first.kill();
    await expect(first.failure).rejects.toThrow("was stopped");
    const second = await startPostgres({ dataDir, port });
    try {
      expect(second.adminUrl).toBe(first.adminUrl);
      expect((await query(second.adminUrl, "TABLE kept")).rows).toEqual([{ one: 1 }]);
    } finally {
      await second.stop();
    }
  });

  it("names the port when somebody else listens there", async () => {
    const [port = 0] = await freePorts(1);
    const first = await startPostgres({ dataDir: join(dataDir, "first"), port });
    try {
      await expect(startPostgres({ dataDir: join(dataDir, "second"), port })).rejects.toThrow(
        /postgres ended unexpectedly[\s\S]+could not bind IPv4 address "127\.0\.0\.1": Address already in use/,
      );
    } finally {
      await first.stop();
    }
  });
});
