import { join } from "node:path";
import { serviceNames } from "@countersign/contracts";
import {
  apiTokenOf,
  callApi,
  callTool,
  type ConnectedClient,
  connectAs,
  eventually,
} from "@countersign/local";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Canaries, dumpOf, filesBelow, found, readBytes } from "./canaries.js";
import { startTestSuite } from "./suite.fixture.js";

/** Card numbers that nothing else on this machine holds; each travels by a road of its own. */
const cards = {
  "card in an argument": "4929112233440562",
  "card with spaces": "4929 1122 3344 0570",
  "card in a forbidden call": "4929112233440588",
  "card in broken JSON": "4929112233440596",
  "card in an unknown tool's name": "4929112233440604",
  "card in a tool error": "4929112233440612",
  "card in a justification": "4929112233440620",
  "card in an approver's comment": "4929112233440638",
  "card in a resource's address": "4929112233440646",
  "card in an approval's arguments": "4929112233440653",
  "card in a client's name": "4929112233440661",
  "card in a method": "4929112233440679",
};
const track = "%B4929112233440687^CANARY/TRACK^29121015432112345678?";

describe("card data and secrets stay out of everything that is kept", () => {
  let suite: Awaited<ReturnType<typeof startTestSuite>>;
  let engineer: ConnectedClient;
  let canaries: Canaries;

  beforeAll(async () => {
    suite = await startTestSuite({ LOG_LEVEL: "debug" });
    const endpoint = `${suite.urls.proxy}/mcp/payments`;
    await expect(
      connectAs("engineer", endpoint, `OPS-7: about ${cards["card in a justification"]}`),
    ).rejects.toThrow(/card/);
    engineer = await connectAs("engineer", endpoint, "OPS-7: looks for canaries");
    const leadToken = await apiTokenOf("lead", suite.urls.identity);
    await callTool(engineer, "query_customers", { search: cards["card in an argument"] });
    await callTool(engineer, "query_customers", {
      search: `pay ${cards["card with spaces"]} cvv: 7391`,
      cvv: "7391",
    });
    await callTool(engineer, "query_customers", { search: track });
    await callTool(engineer, "delete_customer", { customer_id: cards["card in a forbidden call"] });
    await callTool(engineer, cards["card in an unknown tool's name"], {});
    await callTool(engineer, "get_transaction", { transaction_id: cards["card in a tool error"] });
    const raw = (body: string, headers: Record<string, string> = {}) =>
      fetch(endpoint, {
        method: "POST",
        headers: {
          authorization: `Bearer ${engineer.token}`,
          "content-type": "application/json",
          accept: "application/json, text/event-stream",
          ...headers,
        },
        body,
      }).then((response) => response.text());
    await raw(
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"pan":"${cards["card in broken JSON"]}"`,
    );
    await raw(`{"jsonrpc":"2.0","id":1,"method":"${cards["card in a method"]}"}`);
    await raw(
      `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"payments://${cards["card in a resource's address"]}"}}`,
    );
    await raw("{}", { authorization: `Bearer ${engineer.token}x` });
    await fetch(`${suite.urls.identity}/reg`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        client_name: `Client ${cards["card in a client's name"]}`,
        redirect_uris: ["http://127.0.0.1:17654/callback"],
        token_endpoint_auth_method: "none",
      }),
    }).then((response) => response.text());
    const refund = {
      transaction_id: "txn_2002",
      amount_cents: 12_000,
      reason: cards["card in an approval's arguments"],
    };
    const calling = callTool(engineer, "refund", refund);
    const pending = await eventually(async () => {
      const { json } = await callApi(leadToken, `${suite.urls.approval}/approvals?status=pending`);
      return (json as { approvalId: string }[])[0];
    }, "The approval request");
    const decision = `${suite.urls.approval}/approvals/${pending.approvalId}/decision`;
    const comment = `not for ${cards["card in an approver's comment"]}`;
    expect((await callApi(leadToken, decision, { decision: "deny", comment })).status).toBe(400);
    expect(
      (await callApi(leadToken, decision, { decision: "deny", comment: "not for this one" })).status,
    ).toBe(200);
    await calling;
    const { records } = await eventually(async () => {
      const auditor = await apiTokenOf("auditor", suite.urls.identity);
      const { json } = await callApi(auditor, `${suite.urls.audit}/records?tool=refund&outcome=denied`);
      return (json as { records: unknown[] }).records.length > 0
        ? (json as { records: unknown[] })
        : undefined;
    }, "The record of the denied refund");
    expect(records).toHaveLength(1);

    const signature = (token: string): string => token.split(".")[2] ?? "";
    canaries = {
      ...Object.fromEntries(
        Object.entries(cards).map(([name, card]) => [
          name,
          new RegExp(card.replaceAll(" ", "").split("").join("[ ]?")),
        ]),
      ),
      "track data": "CANARY/TRACK^2912",
      "verification code": /cvv\W{0,8}7391/i,
      "stored card": "4111111111111111",
      "stored verification code": /cvv\W{0,8}123\b/i,
      "access token of a session": signature(engineer.token),
      "access token of an approver": signature(leadToken),
      "upstream secret": secretIn("payments-upstream-token"),
    };
  });
  afterAll(async () => {
    await engineer?.close().catch(() => undefined);
    await suite?.forget();
  });

  const secretIn = (name: string): string => {
    const file = filesBelow(join(suite.dataDir, "secrets")).find((path) => path.includes(name));
    if (!file) throw new Error(`no secret ${name}`);
    return readFileSync(file, "utf8").trim();
  };

  it("the search itself finds what is there", () => {
    expect(found(canaries, `x${cards["card in an argument"]}x`)).toEqual(["card in an argument"]);
    expect(found(canaries, Buffer.from(`{\\"cvv\\":\\"7391\\"}`))).toEqual(["verification code"]);
  });

  it("Kafka's log files", () => {
    const files = filesBelow(join(suite.dataDir, "kafka")).filter((path) => path.endsWith(".log"));
    expect(files.length).toBeGreaterThan(10);
    for (const file of files) expect([file, found(canaries, readBytes(file))]).toEqual([file, []]);
  });

  it("a dump of PostgreSQL", async () => {
    const url = new URL(suite.adminDatabaseUrl);
    url.pathname = "/countersign";
    const dump = await dumpOf(url.href);
    expect(dump.map(({ table }) => table)).toEqual(
      expect.arrayContaining(["audit.records", "masking.originals"]),
    );
    for (const { table, text } of dump) expect([table, found(canaries, text)]).toEqual([table, []]);
  });

  it("every service's log and metrics", async () => {
    for (const name of serviceNames) {
      const log = readBytes(suite.service(name).logFile);
      const metrics = await (await fetch(`${suite.urls[name]}/metrics`)).text();
      expect([name, log.length > 0, found(canaries, log), found(canaries, metrics)]).toEqual([
        name,
        true,
        [],
        [],
      ]);
    }
  });
});
