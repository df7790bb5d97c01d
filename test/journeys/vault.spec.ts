import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type {
  ApprovalView,
  OriginalSealed,
  Payload,
  RecordView,
  RevealView,
  SessionKeyWrapped,
} from "@countersign/contracts";
import { verifyBundle } from "@countersign/evidence";
import {
  apiTokenOf,
  callApi,
  callTool,
  type ConnectedClient,
  connectAs,
  eventually,
} from "@countersign/local";
import { compactDecrypt } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dumpOf } from "./canaries.js";
import { belongingsOf, keysIn, p256KeyOf } from "./key-material.js";
import { readTopics } from "./read-topics.js";
import { startTestSuite } from "./suite.fixture.js";

const root = new URL("../../", import.meta.url).pathname;
const stored = { pan: "4111111111111111", cvv: /"cvv\W{1,6}123/ };
const own = {
  pan: "4929112233440562",
  cvv: "7391",
  track: "%B4929112233440687^VAULT/TRACK^29121015432112345678?",
};
const justification = "dispute of ticket OPS-7";

describe("sealed originals", () => {
  const config = mkdtempSync(join(tmpdir(), "countersign-config-"));
  let suite: Awaited<ReturnType<typeof startTestSuite>>;
  let engineer: ConnectedClient;
  let tokens: Record<"auditor" | "admin" | "lead" | "engineer", string>;
  let sessionId: string;
  let originals: { originalId: string; callId: string }[];

  beforeAll(async () => {
    cpSync(join(root, "policies"), join(config, "policies"), { recursive: true });
    cpSync(join(root, "countersign.yaml"), join(config, "countersign.yaml"));
    suite = await startTestSuite({ COUNTERSIGN_CONFIG: join(config, "countersign.yaml") });
    engineer = await connectAs("engineer", `${suite.urls.proxy}/mcp/payments`, "OPS-7: a dispute");
    sessionId = (
      JSON.parse(Buffer.from(engineer.token.split(".")[1] ?? "", "base64url").toString()) as { sid: string }
    ).sid;
    await callTool(engineer, "query_customers", { search: "cus_1001" });
    await callTool(engineer, "query_customers", { search: `pay ${own.pan} cvv: ${own.cvv}`, cvv: own.cvv });
    await callTool(engineer, "query_customers", { search: own.track });
    const of = (account: string) => apiTokenOf(account, suite.urls.identity);
    tokens = {
      auditor: await of("auditor"),
      admin: await of("admin"),
      lead: await of("lead"),
      engineer: await of("engineer"),
    };
    originals = await eventually(async () => {
      const records = await timeline();
      const stored = new Set(
        ofType(records, "OriginalStored").map(({ data }) => (data as OriginalSealed).originalId),
      );
      const named = records.flatMap(({ data }) => {
        const { request, response, callId } = data as {
          request?: Payload;
          response?: Payload;
          callId: string;
        };
        return [request, response].flatMap((payload) =>
          payload?.original ? [{ originalId: payload.original.id, callId }] : [],
        );
      });
      return named.length >= 3 && named.every(({ originalId }) => stored.has(originalId)) ? named : undefined;
    }, "The vault's taking in of the originals");
  });
  afterAll(async () => {
    await engineer?.close().catch(() => undefined);
    await suite?.forget();
    rmSync(config, { recursive: true });
  });

  const timeline = async (): Promise<RecordView[]> => {
    const { json } = await callApi(
      tokens.auditor,
      `${suite.urls.audit}/sessions/${sessionId}/timeline?limit=1000`,
    );
    return (json as { records: RecordView[] }).records;
  };
  const ofType = (records: RecordView[], type: string) => records.filter((record) => record.type === type);
  const recordOf = (type: string, fits: (data: Record<string, never>) => boolean) =>
    eventually(async () => {
      const { json } = await callApi(tokens.auditor, `${suite.urls.audit}/records?type=${type}&limit=1000`);
      return (json as { records: RecordView[] }).records.find(({ data }) =>
        fits(data as Record<string, never>),
      );
    }, `A record ${type}`);
  const reveal = (token: string, originalId: string) =>
    callApi(token, `${suite.urls.masking}/originals/${originalId}/reveal`, { justification });

  it("are shown to auditors and to nobody else, and both is on the record", async () => {
    const [original] = originals as [(typeof originals)[number]];
    for (const other of [tokens.engineer, tokens.lead, tokens.admin]) {
      const { status, text } = await reveal(other, original.originalId);
      expect(status).toBe(403);
      expect(text).not.toContain(stored.pan);
    }
    const shown = await reveal(tokens.auditor, original.originalId);
    expect(shown.status).toBe(200);
    expect(
      (await recordOf("RevealRefused", ({ originalId }) => originalId === original.originalId)).data,
    ).toMatchObject({
      reason: "forbidden_by_policy",
    });
    const record = await recordOf("OriginalRevealed", ({ originalId }) => originalId === original.originalId);
    expect(record.data).toMatchObject({ by: { id: "company:auditor" }, justification, sessionId });
    expect(record.data).not.toHaveProperty("approvedBy");
  });

  it("hold card numbers, and never sensitive authentication data", async () => {
    const texts = await Promise.all(
      originals.map(
        async ({ originalId }) => ((await reveal(tokens.auditor, originalId)).json as { text: string }).text,
      ),
    );
    const all = texts.join("\n");
    expect(all).toContain(stored.pan);
    expect(all).toContain(own.pan);
    expect(all).not.toMatch(stored.cvv);
    expect(all).not.toMatch(new RegExp(`cvv\\W{0,8}${own.cvv}`));
    expect(all).not.toContain("VAULT/TRACK^2912");
    // The second look agrees with the first one about what was masked.
    expect(ofType(await timeline(), "CardDataMissed")).toEqual([]);
  });

  it("are found by card, and the number is in neither answer nor record", async () => {
    const ask = (token: string, pan: string) =>
      callApi(token, `${suite.urls.audit}/find-by-card`, { pan, justification });
    expect((await ask(tokens.engineer, own.pan)).status).toBe(403);
    expect((await ask(tokens.auditor, own.pan.replace(/2$/, "3"))).status).toBe(400);
    const { status, json, text } = await ask(tokens.auditor, own.pan.replace(/(.{4})(?=.)/g, "$1 "));
    expect(status).toBe(200);
    const { records } = json as { records: RecordView[] };
    expect(records.length).toBeGreaterThan(0);
    expect(records.every(({ data }) => (data as { sessionId: string }).sessionId === sessionId)).toBe(true);
    expect(text).not.toContain(own.pan);
    const question = await recordOf("EvidenceRead", ({ action }) => action === "find-by-card");
    expect(JSON.stringify(question)).toContain(justification);
    expect(JSON.stringify(question)).not.toContain(own.pan.slice(-8));
  });

  it.skipIf(process.platform !== "linux")(
    "cannot be opened with anything that a stolen proxy holds",
    async () => {
      const events = (await readTopics(suite.brokers, ["mcp.originals"])).map(({ event }) => event);
      const wrapped = events
        .filter(({ type }) => type === "SessionKeyWrapped")
        .map(({ data }) => data as SessionKeyWrapped);
      const sealed = events
        .filter(({ type }) => type === "OriginalSealed")
        .map(({ data }) => data as OriginalSealed);
      expect([wrapped.length > 0, sealed.length > 0]).toEqual([true, true]);
      const opens = async (
        jwe: string,
        key: Parameters<typeof compactDecrypt>[1] | undefined,
      ): Promise<boolean> =>
        key !== undefined &&
        (await compactDecrypt(jwe, key).then(
          () => true,
          () => false,
        ));
      /** The places whose content opens a session's key or an original. */
      const openers = async (belongings: Map<string, Buffer>): Promise<string[]> => {
        const found = new Set<string>();
        for (const [place, content] of belongings) {
          for (const key of keysIn(content)) {
            const [first, original] = [wrapped[0]?.wrapped ?? "", sealed[0]?.sealed ?? ""];
            if ((await opens(first, p256KeyOf(key))) || (await opens(original, key))) found.add(place);
          }
        }
        return [...found];
      };
      const { pid, logFile } = suite.service("proxy");
      const belongings = belongingsOf(pid, logFile);
      expect([...belongings.keys()].some((place) => place.includes("fingerprint-key"))).toBe(true);
      expect(await openers(belongings)).toEqual([]);
      // The same search finds the vault's key where it is.
      const vault = belongingsOf(suite.service("masking").pid);
      expect(await openers(vault)).toEqual([expect.stringContaining("vault-keys")]);
    },
  );

  describe("where policy asks for a second person", () => {
    let original: (typeof originals)[number];
    let waiting: RevealView;
    const show = (token: string) =>
      callApi(token, `${suite.urls.masking}/reveals/${waiting.revealId}/show`, {});
    const decide = (token: string) =>
      callApi(token, `${suite.urls.approval}/approvals/${waiting.revealId}/decision`, {
        decision: "approve",
      });

    beforeAll(async () => {
      [original] = originals as [(typeof originals)[number]];
      const file = join(config, "policies", "gateway.cedar");
      const text = readFileSync(file, "utf8");
      writeFileSync(file, text.replace('action == Action::"revealUnattended"', 'action == Action::"search"'));
      waiting = await eventually(async () => {
        const { status, json } = await reveal(tokens.auditor, original.originalId);
        return status === 202 ? (json as RevealView) : undefined;
      }, "The new policy");
    });

    it("nothing is shown before another designated person approved", async () => {
      expect((await show(tokens.auditor)).status).toBe(409);
      const approval = await eventually(async () => {
        const { json } = await callApi(tokens.lead, `${suite.urls.approval}/approvals?status=pending`);
        return (json as ApprovalView[]).find(({ approvalId }) => approvalId === waiting.revealId);
      }, "The approval request");
      expect(approval).toMatchObject({
        tool: "vault:reveal",
        justification,
        requester: { id: "company:auditor" },
      });
      expect((await decide(tokens.auditor)).status).toBe(403);
      expect((await decide(tokens.engineer)).status).toBe(403);
      expect((await show(tokens.auditor)).status).toBe(409);
    });

    it("the original is then shown once, to the one who asked, and the record names both", async () => {
      expect((await decide(tokens.lead)).status).toBe(200);
      const shown = await eventually(async () => {
        const answer = await show(tokens.auditor);
        return answer.status === 409 ? undefined : answer;
      }, "The approval's arrival at the vault");
      expect(shown.status).toBe(200);
      expect(shown.json).toMatchObject({ originalId: original.originalId });
      expect((await show(tokens.auditor)).status).toBe(410);
      expect((await show(tokens.lead)).status).toBe(404);
      const record = await recordOf("OriginalRevealed", ({ approvalId }) => approvalId === waiting.revealId);
      expect(record.data).toMatchObject({
        by: { id: "company:auditor" },
        approvedBy: { id: "company:lead" },
      });
    });
  });

  it("can be shredded by administrators; then nobody opens them, and the proofs still verify", async () => {
    const shred = (token: string) =>
      callApi(token, `${suite.urls.masking}/sessions/${sessionId}/shred`, { justification });
    expect((await shred(tokens.auditor)).status).toBe(403);
    const wrapped = (await readTopics(suite.brokers, ["mcp.originals"])).flatMap(({ event }) => {
      const data = event.data as { sessionId: string; wrapped?: string; sealed?: string };
      return data.sessionId === sessionId ? [data.wrapped ?? data.sealed ?? ""] : [];
    });
    const { status, json } = await shred(tokens.admin);
    expect(status).toBe(200);
    expect(json).toMatchObject({ originals: originals.length });
    for (const { originalId } of originals) {
      // With a second person or without, there is nothing left to show.
      expect((await reveal(tokens.auditor, originalId)).status).toBe(410);
    }
    await eventually(
      async () => ofType(await timeline(), "SessionKeyDestroyed")[0],
      "The record of the shredding",
    );

    const url = new URL(suite.adminDatabaseUrl);
    url.pathname = "/countersign";
    const dump = await dumpOf(url.href);
    for (const { table, text } of dump) {
      expect([table, wrapped.filter((secret) => text.includes(secret)).length]).toEqual([table, 0]);
    }
    const bundle = await callApi(tokens.auditor, `${suite.urls.audit}/export?session=${sessionId}`);
    const { verifierKey } = (await (await fetch(`${suite.urls.audit}/verifier-key`)).json()) as {
      verifierKey: string;
    };
    const report = await verifyBundle(bundle.text.split("\n").slice(0, -1), { verifierKey });
    expect(report).toMatchObject({ ok: true, keyTrusted: true });
    expect(bundle.text).toContain('"OriginalSealed"');
  });
});
