import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EventMessage, topicNames } from "@countersign/contracts";
import { callsReceived, callTool, type ConnectedClient, connectAs, eventually } from "@countersign/local";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readTopics } from "./read-topics.js";
import { startTestSuite } from "./suite.fixture.js";

const crashFile = join(mkdtempSync(join(tmpdir(), "countersign-crash-")), "moment");
const callsAtOnce = 20;
const transaction = { transaction_id: "txn_2001" };

describe("after a crash no record is lost, none is doubled, and every intent has its end", () => {
  let suite: Awaited<ReturnType<typeof startTestSuite>>;
  let engineer: ConnectedClient;
  let database: pg.Client;

  beforeAll(async () => {
    suite = await startTestSuite({
      NODE_OPTIONS: `--import ${new URL("../fixtures/crash-at.mjs", import.meta.url).href}`,
      CRASH_AT_FILE: crashFile,
    });
    engineer = await connectAs("engineer", `${suite.urls.proxy}/mcp/payments`, "OPS-8: failure tests");
    const url = new URL(suite.adminDatabaseUrl);
    url.pathname = "/countersign";
    database = new pg.Client({ connectionString: url.href });
    await database.connect();
  });
  afterAll(async () => {
    await database?.end();
    await engineer?.close().catch(() => undefined);
    await suite?.forget();
  });

  const traffic = async (): Promise<EventMessage[]> =>
    (await readTopics(suite.brokers, ["mcp.traffic"])).map(({ event }) => event);

  const crashAt = async (moment: string, act: () => Promise<unknown>): Promise<void> => {
    const proxy = suite.service("proxy");
    writeFileSync(crashFile, moment);
    await act();
    await eventually(async () => (proxy.isRunning ? undefined : true), "The crash");
    await proxy.start();
  };

  it.each([
    ["between intent and forward", "intent recorded", 0],
    ["between the upstream's answer and its record", "upstream answered", 1],
  ])("of the proxy %s", async (_, moment, forwarded) => {
    const before = await callsReceived(suite);
    const known = new Set((await traffic()).map(({ id }) => id));
    await crashAt(moment, async () => {
      const { failed } = await callTool(engineer, "get_transaction", transaction, { timeout: 5_000 });
      expect(failed).toBe(true);
    });
    expect((await callsReceived(suite)) - before).toBe(forwarded);
    const records = (await traffic()).filter(({ id }) => !known.has(id));
    const intents = records.filter(({ type }) => type === "CallIntended");
    expect(intents.length).toBeGreaterThan(0);
    for (const intent of intents) {
      const { callId } = intent.data as { callId: string };
      const ends = records.filter(
        ({ type, data }) => type === "CallCompleted" && (data as { callId: string }).callId === callId,
      );
      expect(ends).toHaveLength(1);
    }
    // The client's listening stream was open too; what counts here is the call.
    const unknown = records.filter(
      ({ data }) =>
        (data as { outcome?: string }).outcome === "unknown" &&
        (data as { method: string }).method === "tools/call",
    );
    expect(unknown.map(({ data }) => (data as { target: string }).target)).toEqual(["get_transaction"]);
  });

  it("of audit in mid-batch", async () => {
    const audit = suite.service("audit");
    const calls = Array.from({ length: callsAtOnce * 5 }, (_, index) => index);
    const calling = (async () => {
      for (let at = 0; at < calls.length; at += callsAtOnce) {
        await Promise.all(
          calls.slice(at, at + callsAtOnce).map(() => callTool(engineer, "get_transaction", transaction)),
        );
      }
    })();
    for (let kill = 0; kill < 2; kill += 1) {
      await new Promise((resolve) => setTimeout(resolve, 300));
      await audit.kill9();
      await audit.start();
    }
    await calling;
    const ignored = ["audit.checkpoints", "siem.ocsf", "mcp.holds"];
    const projected = topicNames.filter((name) => !ignored.includes(name));
    const idsOnLog = new Set((await readTopics(suite.brokers, projected)).map(({ event }) => event.id));
    const rows = await eventually(async () => {
      const { rows: found } = await database.query<{ log_index: string; event_id: string }>(
        "SELECT log_index, event_id FROM audit.records ORDER BY log_index",
      );
      return idsOnLog.isSubsetOf(new Set(found.map(({ event_id: id }) => id))) ? found : undefined;
    }, "The projection of everything");
    expect(rows.map(({ log_index: index }) => Number(index))).toEqual(rows.map((_, index) => index));
    expect(new Set(rows.map(({ event_id: id }) => id)).size).toBe(rows.length);
  });

  it.each(["UPDATE audit.records SET type = 'x'", "DELETE FROM audit.records", "TRUNCATE audit.records"])(
    "and nobody rewrites them: %s",
    async (sql) => {
      await database.query("BEGIN");
      await database.query("SET LOCAL ROLE countersign_audit_owner");
      await expect(database.query(sql)).rejects.toThrow(/evidence/);
      await database.query("ROLLBACK");
    },
  );
});
