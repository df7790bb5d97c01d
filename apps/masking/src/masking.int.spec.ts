import { generateKeyPairSync, randomBytes, randomUUID } from "node:crypto";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { INestApplication } from "@nestjs/common";
import { loadConfiguration } from "@countersign/configuration";
import {
  type CardDataPolicy,
  type EventMessage,
  type PolicyBundle,
  type Principal,
  type RevealView,
  type TopicName,
} from "@countersign/contracts";
import {
  Clock,
  createKafka,
  createLogger,
  createService,
  decodeEvent,
  encodeEvent,
  EventLog,
  parseConfig,
  transitKeyId,
  wrapSessionKey,
} from "@countersign/service-kit";
import { createDatabase, type TestDatabase, TestIssuer } from "@countersign/service-kit/testing";
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished, vi } from "vitest";
import { maskingConfig } from "./config.js";
import { sealText, sha256Of, wrapKey } from "./domain/seal.fixture.js";
import { maskingSchema } from "./index.js";
import { CardDataPolicyInForce } from "./policy/card-data-policy.js";
import { PolicyPublisher } from "./policy/policy.publisher.js";
import { PolicyView } from "./policy/policy.view.js";
import { maskingService } from "./service.js";
import { Destruction } from "./vault/destruction.js";
import { TransitStandIn } from "./vault/transit.fixture.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const log = createLogger("masking", "silent");
const ids = new Clock();
const kafka = createKafka("spec", inject("kafkaBrokers").split(","), log);
const producer = kafka.producer();
const consumer = kafka.consumer({ groupId: `spec-${randomUUID()}` });
const issuer = new TestIssuer();
const vaultPair = generateKeyPairSync("ec", { namedCurve: "P-256" });
const vaultKeyId = randomUUID();
const bundleVersion = randomUUID();

const auditor: Principal = { id: "company:iris", kind: "human", groups: ["auditors"] };
const engineer: Principal = {
  id: `company:ada-${vaultKeyId}`,
  kind: "human",
  groups: ["payments-engineers"],
};
const administrator: Principal = { id: "company:root", kind: "human", groups: ["administrators"] };

const seen: EventMessage[] = [];
let database: TestDatabase;
let folder = "";
let app: INestApplication;
let url = "";

beforeAll(async () => {
  database = await createDatabase(inject("adminDatabaseUrl"), maskingSchema);
  await issuer.start();

  folder = await mkdtemp(join(tmpdir(), "countersign-masking-"));
  await cp(join(root, "policies"), join(folder, "policies"), { recursive: true });
  const yaml = await readFile(join(root, "countersign.yaml"), "utf8");
  await writeFile(
    join(folder, "countersign.yaml"),
    yaml.replace(/contextWords: \[\]/, `contextWords: ["word-${vaultKeyId}"]`),
  );
  const key = { ...vaultPair.privateKey.export({ format: "jwk" }), kid: vaultKeyId };
  await writeFile(join(folder, "vault-keys.json"), JSON.stringify({ keys: [key] }));

  await writeFile(join(folder, "fingerprint-key"), randomBytes(32).toString("base64"));
  await producer.connect();
  await consumer.connect();
  const followed: TopicName[] = [
    "masking.policies",
    "masking.events",
    "quarantine.events",
    "approval.commands",
  ];
  await consumer.subscribe({ topics: followed, fromBeginning: true });
  await consumer.run({
    eachMessage: ({ topic, message }) => {
      const { event } = decodeEvent(topic as TopicName, message.headers, message.value);
      if (event) seen.push(event);
      return Promise.resolve();
    },
  });
  await start();
  await send("policy.bundles", await bundleEvent());
  await policyKnown();
});

afterAll(async () => {
  await app?.close();
  await Promise.allSettled([producer.disconnect(), consumer.disconnect()]);
  issuer.stop();
  await database?.drop();
  if (folder) await rm(folder, { recursive: true });
});

describe("the masking service", () => {
  it("publishes its policy and the public half of its vault key, and at a restart nothing again", async () => {
    await expect.poll(() => [ownPolicies().length, ownKeys().length]).toEqual([1, 1]);
    expect(ownPolicies()[0]?.subject).toBe("policy");
    expect(ownKeys()[0]).toMatchObject({ subject: "vault-key", data: { publicKey: { kty: "EC" } } });
    expect(JSON.stringify(ownKeys())).not.toContain('"d"');
    await app.close();
    await start();
    await policyKnown();
    await expect
      .poll(async () => (await fetch(`${url}/readyz`)).json())
      .toMatchObject({
        checks: { policies: "ok" },
      });
    expect([ownPolicies().length, ownKeys().length]).toEqual([1, 1]);
  });

  it("stores what the proxy sealed once, and says so", async () => {
    const { original, events } = await sealed("{}");
    await send("mcp.originals", ...events, ...events);
    await stored(original.originalId);
    await send("mcp.originals", ...events.map((event) => ({ ...event, id: ids.newId() })));
    const last = await sealed("{}");
    await send("mcp.originals", ...last.events);
    await stored(last.original.originalId);
    expect(about("OriginalStored", original.originalId)).toHaveLength(1);
    expect(about("OriginalStored", original.originalId)[0]?.data).toEqual({
      originalId: original.originalId,
      sessionId: original.sessionId,
      callId: original.callId,
      sha256: original.sha256,
    });
  });

  it.each([
    ["is not what its digest says", { sha256: "0".repeat(64) }],
    ["is no sealed form", { sealed: "4111111111111111", sha256: sha256Of("4111111111111111") }],
  ])("does not take in an original that %s", async (_, changes) => {
    const { original, events } = await sealed("{}");
    const [key, event] = events;
    if (!key || !event) throw new Error("two events");
    await send("mcp.originals", key, { ...event, data: { ...original, ...changes } });
    const good = await sealed("{}");
    await send("mcp.originals", ...good.events);
    await stored(good.original.originalId);
    expect((await reveal(auditor, original.originalId)).status).toBe(404);
    await expect
      .poll(
        () =>
          seen.filter(({ type, subject }) => type === "MessageQuarantined" && subject === "mcp.originals")
            .length,
      )
      .toBeGreaterThan(0);
  });

  it("shows an original to an auditor who says why, once that is on the log", async () => {
    // Sealed with a code in it, as by a proxy that did not know its name.
    const { original, events } = await sealed('{"card":"4111111111111111","cvv":"737"}');
    const text = '{"card":"4111111111111111","cvv":"***"}';
    const hidden = Buffer.from("card 5555555555554444").toString("base64");
    await send("mcp.originals", ...events);
    await stored(original.originalId);
    const response = await reveal(auditor, original.originalId, `dispute about ${hidden}`);
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await response.json()).toMatchObject({
      originalId: original.originalId,
      text,
      endpoint: "payments",
    });
    await expect.poll(() => about("OriginalRevealed", original.originalId)).toHaveLength(1);
    const [revealed] = about("OriginalRevealed", original.originalId);
    expect(revealed?.data).toMatchObject({ by: auditor, sessionId: original.sessionId });
    expect(JSON.stringify(revealed)).toContain("dispute about");
    expect(JSON.stringify(revealed)).not.toContain(hidden);
  });

  it("shows nothing when the reveal cannot be recorded", async () => {
    const { original, events } = await sealed("the original");
    await send("mcp.originals", ...events);
    await stored(original.originalId);
    const append = vi.spyOn(app.get(EventLog), "append").mockRejectedValue(new Error("down"));
    const response = await reveal(auditor, original.originalId);
    append.mockRestore();
    expect(response.status).toBe(503);
    expect(await response.text()).not.toContain("the original");
  });

  it("refuses whom no policy lets reveal, and records that", async () => {
    const { original, events } = await sealed("the original");
    await send("mcp.originals", ...events);
    await stored(original.originalId);
    const response = await reveal(engineer, original.originalId);
    expect(response.status).toBe(403);
    expect(await response.text()).not.toContain("the original");
    await expect
      .poll(() => about("RevealRefused", original.originalId))
      .toMatchObject([{ data: { by: engineer, reason: "forbidden_by_policy" } }]);
  });

  it("refuses whoever gives no reason, has no token, or asks for what is not there", async () => {
    const unknown = ids.newId();
    expect((await reveal(auditor, unknown, "short")).status).toBe(400);
    expect((await reveal(auditor, unknown, "about 5555 5555 5555 4444")).status).toBe(400);
    expect((await fetch(`${url}/originals/${unknown}/reveal`, { method: "POST" })).status).toBe(401);
    expect((await reveal(auditor, unknown)).status).toBe(404);
    await expect
      .poll(() => about("RevealRefused", unknown))
      .toMatchObject([{ data: { reason: "original_unknown" } }]);
  });

  it("does not show an original that was sealed for another record, and records that", async () => {
    const { original, events } = await sealed("the original", { rid: ids.newId() });
    await send("mcp.originals", ...events);
    await stored(original.originalId);
    const response = await reveal(auditor, original.originalId);
    expect(response.status).toBe(410);
    await expect
      .poll(() => about("RevealRefused", original.originalId))
      .toMatchObject([{ data: { reason: "original_unreadable" } }]);
    expect(about("OriginalRevealed", original.originalId)).toEqual([]);
  });

  it("lets an administrator try the policy, and nobody else", async () => {
    const body = { text: '{"card":"4111111111111111"}', contentType: "application/json" };
    expect((await post(auditor, "/trial", body)).status).toBe(403);
    const response = await post(administrator, "/trial", body);
    expect(response.status).toBe(200);
    const { findings, masked } = (await response.json()) as { findings: unknown[]; masked: string };
    expect(findings).toMatchObject([{ kind: "pan", path: "/card", rule: "pan.range" }]);
    expect(masked).not.toContain("4111111111111111");
    expect((await post(administrator, "/trial", { ...body, text: "not JSON" })).status).toBe(400);
  });

  it("takes up another card-data policy from the file, publishes it, and tries it by endpoint", async () => {
    const path = join(folder, "countersign.yaml");
    const yaml = await readFile(path, "utf8");
    const text = '{"konto":"4111111111111112"}';
    const tried = async (endpoint?: string) => {
      const response = await post(administrator, "/trial", {
        text,
        contentType: "application/json",
        endpoint,
      });
      return { status: response.status, ...((await response.json()) as object) };
    };
    expect(await tried("payments")).toMatchObject({ findings: [], requests: "forward" });
    try {
      await writeFile(path, yaml.replace("messageLimit: 4MiB", "cardData: { requests: drop }\n    $&"));
      await writeFile(
        path,
        yaml.replace("messageLimit: 4MiB", "cardData: { panKeys: [konto], requests: mask }\n    $&"),
      );
      await expect
        .poll(() => tried("payments"), { timeout: 15_000 })
        .toMatchObject({
          findings: [{ kind: "pan", path: "/konto", rule: "pan.key" }],
          requests: "mask",
        });
      expect(await tried()).toMatchObject({ findings: [], requests: "forward" });
      expect(await tried("elsewhere")).toMatchObject({ status: 404 });
      const published = () =>
        seen.findLast(({ type }) => type === "CardDataPolicyPublished")?.data as
          | { policy: CardDataPolicy }
          | undefined;
      await expect
        .poll(() => published()?.policy.endpoints)
        .toMatchObject({ payments: { requests: "mask" } });
    } finally {
      await writeFile(path, yaml);
    }
    await expect.poll(() => tried("payments"), { timeout: 15_000 }).toMatchObject({ findings: [] });
  });

  it.each(["session_keys", "originals"])("keeps masking.%s from everyone's changes", async (table) => {
    for (const statement of [
      `UPDATE masking.${table} SET key_id = key_id`,
      `DELETE FROM masking.${table}`,
      `TRUNCATE masking.${table}`,
    ]) {
      await expect(database.query(statement)).rejects.toThrow(/takes no/);
      await expect(database.queryAs(database.url, statement)).rejects.toThrow(/permission denied|takes no/);
    }
  });

  it.each([
    ["to wrap a key to the vault key that it has", `UPDATE masking.session_keys SET wrapped = 'x'`],
    ["to move a key", `UPDATE masking.session_keys SET session_id = 'x', vault_key_id = 'y', wrapped = 'x'`],
    ["to empty what can be opened", `UPDATE masking.originals SET sealed = ''`],
  ])("lets nobody use the ways of the vault %s", async (_, statement) => {
    await expect(database.query(statement)).rejects.toThrow(/takes no/);
  });
});

describe("shredding", () => {
  const shred = (caller: Principal, sessionId: string, justification = "customer asked for erasure") =>
    post(caller, `/sessions/${sessionId}/shred`, { justification });

  it("is refused to whom no policy lets administer, without a reason, and for sessions that nobody knows", async () => {
    const { original } = await storedOriginal("the original");
    expect((await shred(auditor, original.sessionId)).status).toBe(403);
    expect((await shred(administrator, original.sessionId, "short")).status).toBe(400);
    const unknown = ids.newId();
    expect((await shred(administrator, unknown)).status).toBe(404);
    const refusals = () => seen.filter(({ type }) => type === "ShredRefused").map(({ data }) => data);
    await expect.poll(refusals).toEqual([
      { sessionId: original.sessionId, by: auditor, reason: "forbidden_by_policy" },
      { sessionId: unknown, by: administrator, reason: "session_unknown" },
    ]);
    expect((await reveal(auditor, original.originalId)).status).toBe(200);
  });

  it("leaves nothing that could be opened, not even when Kafka says it again, and is on the log", async () => {
    const { original, events } = await storedOriginal("the original");
    const other = await storedOriginal("another session's");
    const response = await shred(administrator, original.sessionId);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ keyIds: [original.keyId], originals: 1 });
    const gone = await reveal(auditor, original.originalId);
    expect(gone.status).toBe(410);
    expect(await gone.text()).toContain("original_shredded");
    expect((await reveal(auditor, other.original.originalId)).status).toBe(200);
    await expect
      .poll(() =>
        seen.filter(({ type, subject }) => type === "SessionKeyDestroyed" && subject === original.sessionId),
      )
      .toMatchObject([
        {
          data: {
            keyIds: [original.keyId],
            originals: 1,
            cause: "request",
            by: administrator,
            justification: "customer asked for erasure",
          },
        },
      ]);
    await send("mcp.originals", ...events.map((event) => ({ ...event, id: ids.newId() })));
    const late = await sealed("later", {}, original);
    await send("mcp.originals", ...late.events.slice(1));
    await storedOriginal("after it");
    for (const id of [original.originalId, late.original.originalId]) {
      expect((await reveal(auditor, id)).status).toBe(410);
    }
    expect(about("OriginalStored", late.original.originalId)).toEqual([]);
    const [vault] = await database.query<{ keys: string; sealed: string }>(
      `SELECT (SELECT count(*) FROM masking.session_keys WHERE session_id = '${original.sessionId}') AS keys,
              (SELECT string_agg(sealed, '') FROM masking.originals WHERE session_id = '${original.sessionId}') AS sealed`,
    );
    expect(vault).toEqual({ keys: "0", sealed: "" });
    expect(await (await shred(administrator, original.sessionId)).json()).toEqual({
      keyIds: [],
      originals: 0,
    });
  });
});

describe("a reveal that needs a second person", () => {
  const lead = { id: "company:grace", kind: "human" as const, name: "Grace", groups: ["payments-leads"] };
  const decided = (revealId: string, type: string, by: Principal, changes: object = {}) => {
    const { requestDigest } = (command(revealId) as EventMessage).data as { requestDigest: string };
    const data = {
      approvalId: revealId,
      callId: ids.newId(),
      sessionId: ids.newId(),
      endpoint: "payments",
      tool: "vault:reveal",
      requestDigest,
      requesterId: auditor.id,
      by,
      ...changes,
    };
    return send("approval.events", eventOf(type, revealId, data, "approval"));
  };
  const command = (revealId: string) =>
    seen.find(({ type, subject }) => type === "RequestApproval" && subject === revealId);
  const asked = async (text: string) => {
    const { original } = await storedOriginal(text);
    const response = await reveal(auditor, original.originalId, "dispute of ticket 7");
    expect(response.status).toBe(202);
    expect(response.headers.get("cache-control")).toBe("no-store");
    const answer = (await response.json()) as RevealView;
    expect(JSON.stringify(answer)).not.toContain(text);
    await vi.waitFor(() => expect(command(answer.revealId)).toBeDefined(), { timeout: 20_000 });
    return { original, ...answer };
  };
  const show = (caller: Principal, revealId: string) => post(caller, `/reveals/${revealId}/show`, {});
  const status = async (revealId: string) => {
    const response = await post(auditor, `/reveals/${revealId}`, undefined, "GET");
    return ((await response.json()) as RevealView).status;
  };

  beforeAll(async () => {
    const { data } = (await bundleEvent()) as EventMessage<string, PolicyBundle>;
    const policies = data.policies.map(({ file, text }) => ({
      file,
      text: text.replace('action == Action::"revealUnattended"', 'action == Action::"search"'),
    }));
    app.get(PolicyView).take({ ...data, policies });
  });
  afterAll(async () => app.get(PolicyView).take((await bundleEvent()).data as PolicyBundle));

  it("asks the approvers, and shows nothing before one of them agreed", async () => {
    const { original, revealId } = await asked("the original");
    expect(command(revealId)?.data).toMatchObject({
      approvalId: revealId,
      callId: original.callId,
      sessionId: original.sessionId,
      requester: auditor,
      endpoint: "payments",
      tool: "vault:reveal",
      justification: "dispute of ticket 7",
    });
    expect((await show(auditor, revealId)).status).toBe(409);
    expect(await status(revealId)).toBe("pending");
    expect(about("OriginalRevealed", original.originalId)).toEqual([]);
  });

  it("is shown once, to the one who asked, and the record names both", async () => {
    const { original, revealId } = await asked("the original");
    await decided(revealId, "ApprovalGranted", lead);
    await expect.poll(() => status(revealId), { timeout: 20_000 }).toBe("granted");
    expect((await show({ ...auditor, id: "company:other" }, revealId)).status).toBe(404);
    expect((await show(lead, revealId)).status).toBe(404);
    const shown = await Promise.all([show(auditor, revealId), show(auditor, revealId)]);
    expect(new Set(shown.map((response) => response.status))).toEqual(new Set([200, 410]));
    const text = await shown.find((response) => response.status === 200)?.text();
    expect(text).toContain("the original");
    expect((await show(auditor, revealId)).status).toBe(410);
    await expect
      .poll(() => about("OriginalRevealed", original.originalId))
      .toMatchObject([
        { data: { by: auditor, approvalId: revealId, approvedBy: { id: lead.id, name: "Grace" } } },
      ]);
  });

  it("can be shown later when it could not be recorded, and was not shown", async () => {
    const { revealId } = await asked("the original");
    await decided(revealId, "ApprovalGranted", lead);
    await expect.poll(() => status(revealId), { timeout: 20_000 }).toBe("granted");
    const append = vi.spyOn(app.get(EventLog), "append").mockRejectedValue(new Error("down"));
    expect((await show(auditor, revealId)).status).toBe(503);
    append.mockRestore();
    expect((await show(auditor, revealId)).status).toBe(200);
  });

  it("is not shown once it was denied, or its time is over", async () => {
    const denied = await asked("one");
    await decided(denied.revealId, "ApprovalDenied", lead);
    await expect.poll(() => status(denied.revealId), { timeout: 20_000 }).toBe("denied");
    expect((await show(auditor, denied.revealId)).status).toBe(403);
    const late = await asked("two");
    await decided(late.revealId, "ApprovalGranted", lead);
    await expect.poll(() => status(late.revealId), { timeout: 20_000 }).toBe("granted");
    const now = vi.spyOn(app.get(Clock), "now").mockReturnValue(new Date(Date.now() + 16 * 60_000));
    const over = await show(auditor, late.revealId);
    now.mockRestore();
    expect(over.status).toBe(410);
  });

  it("takes no approval of the one who asked, or of something else", async () => {
    const { revealId } = await asked("the original");
    await decided(revealId, "ApprovalGranted", auditor);
    await decided(revealId, "ApprovalGranted", lead, { requestDigest: "another" });
    const next = await asked("the next");
    await decided(next.revealId, "ApprovalGranted", lead);
    await expect.poll(() => status(next.revealId), { timeout: 20_000 }).toBe("granted");
    expect(["pending", "granted"]).toContain(await status(revealId));
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(await status(revealId)).toBe("pending");
  });
});

describe("the second look", () => {
  const missed = (callId: string) =>
    seen.filter(
      ({ type, data }) => type === "CardDataMissed" && (data as { callId: string }).callId === callId,
    );

  it("tells of card data that was recorded, without a digit of it, and of nothing else", async () => {
    const hex = Buffer.from("pan=4929112233440562").toString("hex");
    const bad = recordedCall(JSON.stringify({ note: hex }));
    const good = recordedCall('{"pan":"492911******0562"}');
    await send("mcp.traffic", good, bad);
    const { callId } = bad.data as { callId: string };
    await vi.waitFor(() => expect(missed(callId)).toHaveLength(1), { timeout: 20_000 });
    const [told] = missed(callId);
    expect(told).toMatchObject({
      cause: bad.id,
      data: {
        recordId: bad.id,
        part: "response",
        view: {
          text: '{"note":"[hidden by the second look]"}',
          findings: [
            { kind: "pan", path: "/note", rule: "second.hex", fingerprint: expect.any(String) as string },
          ],
        },
      },
    });
    // Not shorter than eight digits, which ids and fingerprints may hold by chance.
    expect(JSON.stringify(told)).not.toMatch(/49291122|33440562/);
    expect(missed((good.data as { callId: string }).callId)).toEqual([]);
  });

  it("reads the headers of a request as well", async () => {
    const hex = Buffer.from("pan=4929112233440562").toString("hex");
    const { data } = recordedCall(JSON.stringify({ "x-trace": hex }));
    const { response, outcome: _, ...about } = data as Record<string, unknown>;
    const request = { ...(response as object), text: "{}", sha256: sha256Of("{}") };
    const decision = { effect: "allow", policies: [], bundleVersion: "1" };
    const { sessionId, callId } = about as { sessionId: string; callId: string };
    await send(
      "mcp.traffic",
      eventOf("CallIntended", sessionId, { ...about, request, headers: response, decision }),
    );
    await vi.waitFor(() => expect(missed(callId)).toHaveLength(1), { timeout: 20_000 });
    expect(missed(callId)[0]?.data).toMatchObject({ part: "headers", view: { findings: [{ kind: "pan" }] } });
  });
});

describe("the vault's keys", () => {
  it("destroys what is past its term, and says so", async () => {
    const { original } = await storedOriginal("the original");
    const now = vi.spyOn(app.get(Clock), "now").mockReturnValue(new Date(Date.now() + 89 * 86_400_000));
    await app.get(Destruction).overdue();
    expect((await reveal(auditor, original.originalId)).status).toBe(200);
    now.mockReturnValue(new Date(Date.now() + 91 * 86_400_000));
    await app.get(Destruction).overdue();
    now.mockRestore();
    expect((await reveal(auditor, original.originalId)).status).toBe(410);
    await expect
      .poll(() =>
        seen.filter(({ type, subject }) => type === "SessionKeyDestroyed" && subject === original.sessionId),
      )
      .toMatchObject([{ data: { keyIds: [original.keyId], cause: "retention" } }]);
  });

  it("wraps what it holds to a new key, so that the old one can go", async () => {
    const { original } = await storedOriginal("the original");
    const keys = async () =>
      (await (await post(administrator, "/vault-keys", undefined, "GET")).json()) as Record<
        string,
        unknown
      >[];
    expect((await post(auditor, "/vault-keys", undefined, "GET")).status).toBe(403);
    expect((await keys())[0]).toMatchObject({ keyId: vaultKeyId, current: true, present: true });
    const next = generateKeyPairSync("x25519").privateKey.export({ format: "jwk" });
    const [old, fresh] = [
      { ...vaultPair.privateKey.export({ format: "jwk" }), kid: vaultKeyId },
      { ...next, kid: `next-${vaultKeyId}` },
    ];
    await restartWith(fresh, old);
    await expect
      .poll(async () => (await keys()).find(({ keyId }) => keyId === vaultKeyId), { timeout: 30_000 })
      .toMatchObject({ current: false, sessionKeys: 0 });
    await expect
      .poll(
        () =>
          seen.filter(({ type, subject }) => type === "SessionKeysRewrapped" && subject === fresh.kid).length,
      )
      .toBeGreaterThan(0);
    await restartWith(fresh);
    const response = await reveal(auditor, original.originalId);
    expect(await response.json()).toMatchObject({ text: "the original" });
  });

  const restartWith = async (...keys: object[]): Promise<void> => {
    await app.close();
    await writeFile(join(folder, "vault-keys.json"), JSON.stringify({ keys }));
    await start();
    await policyKnown();
  };
});

describe("keys in HashiCorp Vault", () => {
  const name = `originals-${vaultKeyId}`;
  const idOf = (version: number): string => transitKeyId("transit", name, version);
  const standIn = new TransitStandIn(name);
  const file = { VAULT_KEYS_FILE: "" };
  let transit: Record<string, string>;
  let original: Awaited<ReturnType<typeof sealed>>["original"];

  beforeAll(async () => {
    file.VAULT_KEYS_FILE = join(folder, "vault-keys.json");
    const jwk = { ...vaultPair.privateKey.export({ format: "jwk" }), kid: vaultKeyId };
    await writeFile(file.VAULT_KEYS_FILE, JSON.stringify({ keys: [jwk] }));
    await writeFile(join(folder, "vault-token"), standIn.token);
    transit = {
      VAULT_TRANSIT_URL: await standIn.listen(),
      VAULT_TRANSIT_KEY: name,
      VAULT_TRANSIT_TOKEN_FILE: join(folder, "vault-token"),
    };
  });
  afterAll(() => standIn.close());

  const restartedWith = async (places: Record<string, string>): Promise<void> => {
    await app.close();
    vaultPlaces = () => places;
    await start();
    await policyKnown();
  };
  const opens = async (keyId: string): Promise<unknown> => {
    const response = await post(administrator, "/vault-keys", undefined, "GET");
    const keys = (await response.json()) as { keyId: string; sessionKeys: number }[];
    return keys.find((key) => key.keyId === keyId)?.sessionKeys;
  };
  const published = (version: number): EventMessage[] =>
    seen.filter(
      ({ type, data }) => type === "VaultKeyPublished" && (data as { keyId: string }).keyId === idOf(version),
    );
  const readiness = async () => {
    const response = await fetch(`${url}/readyz`);
    const { checks } = (await response.json()) as { checks: Record<string, string> };
    return { status: response.status, policies: checks["policies"], vault: checks["hashicorp vault"] };
  };

  it("are not published, and leave the service unready, as long as Vault does not let them decrypt", async () => {
    standIn.permitted.delete("decrypt");
    await restartedWith(transit);
    await expect
      .poll(readiness)
      .toEqual({ status: 503, policies: "not published yet", vault: "vault_refused" });
    expect(published(1)).toEqual([]);
    standIn.permitted.add("decrypt");
    await expect.poll(readiness, { timeout: 20_000 }).toEqual({ status: 200, policies: "ok", vault: "ok" });
    await expect.poll(() => published(1)).toHaveLength(1);
    expect(published(1)[0]?.data).toMatchObject({ publicKey: { kty: "RSA", alg: "RSA-OAEP-256" } });
  });

  it("take over what a file's keys sealed, as long as the file is there, too", async () => {
    await restartedWith({ ...file, ...transit });
    ({ original } = await storedOriginal("the original"));
    await expect.poll(() => opens(vaultKeyId), { timeout: 30_000 }).toBe(0);
    await restartedWith(transit);
    expect(published(1)).toHaveLength(1);
    expect(await (await reveal(auditor, original.originalId)).json()).toMatchObject({ text: "the original" });
  });

  it("show nothing while Vault does not open, and say so", async () => {
    await expect.poll(readiness).toMatchObject({ status: 200 });
    standIn.sealed = true;
    onTestFinished(() => {
      standIn.sealed = false;
    });
    const response = await reveal(auditor, original.originalId);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ error: { code: "vault_keys_unavailable" } });
    await expect
      .poll(() => about("RevealRefused", original.originalId))
      .toMatchObject([{ data: { by: auditor, reason: "vault_refused" } }]);
    expect(await readiness()).toEqual({ status: 200, policies: "ok", vault: "vault_refused" });
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toMatch(/countersign_vault_transit_failing\{[^}]*\} 1/);
    standIn.sealed = false;
    expect((await reveal(auditor, original.originalId)).status).toBe(200);
  });

  it("open what a proxy sealed to them, and not what was moved to another session", async () => {
    const key = randomBytes(32);
    const [sessionId, keyId] = [ids.newId(), ids.newId()];
    const wrappedFor = async (named: string): Promise<EventMessage> => {
      const names = { sessionId: named, keyId, vaultKeyId: idOf(1) };
      const wrapped = await wrapSessionKey(key, names, standIn.publicKey(1));
      return eventOf("SessionKeyWrapped", sessionId, { ...names, sessionId, wrapped });
    };
    const own = await sealed("sealed to Vault", {}, { sessionId, keyId }, key);
    await send("mcp.originals", await wrappedFor(sessionId), ...own.events.slice(1));
    await stored(own.original.originalId);
    expect(await (await reveal(auditor, own.original.originalId)).json()).toMatchObject({
      text: "sealed to Vault",
    });
    const names = { sessionId: ids.newId(), keyId: ids.newId() };
    const moved = await sealed("sealed to Vault", {}, names, key);
    const { wrapped } = (await wrappedFor(sessionId)).data as { wrapped: string };
    const elsewhere = eventOf("SessionKeyWrapped", names.sessionId, {
      ...names,
      vaultKeyId: idOf(1),
      wrapped,
    });
    await send("mcp.originals", elsewhere, ...moved.events.slice(1));
    await stored(moved.original.originalId);
    expect((await reveal(auditor, moved.original.originalId)).status).toBe(410);
  });

  it("follow a rotation in Vault by themselves, wrap what they hold anew, and shred as ever", async () => {
    standIn.rotate();
    await expect.poll(() => published(2), { timeout: 30_000 }).toHaveLength(1);
    // What was moved to another session stays as it is.
    await expect.poll(() => opens(idOf(1)), { timeout: 30_000 }).toBe(1);
    expect(await (await reveal(auditor, original.originalId)).json()).toMatchObject({ text: "the original" });
    const path = `/sessions/${original.sessionId}/shred`;
    await post(administrator, path, { justification: "customer asked for erasure" });
    const asked = standIn.asked.filter((request) => request.includes("decrypt")).length;
    expect((await reveal(auditor, original.originalId)).status).toBe(410);
    expect(standIn.asked.filter((request) => request.includes("decrypt"))).toHaveLength(asked);
  });
});

/** Where the vault's keys are at the next start. */
let vaultPlaces = (): Record<string, string> => ({ VAULT_KEYS_FILE: join(folder, "vault-keys.json") });

async function start(): Promise<void> {
  const config = parseConfig("masking", maskingConfig, {
    KAFKA_BROKERS: inject("kafkaBrokers"),
    DATABASE_URL: database.url,
    GATEWAY_URL: "http://127.0.0.1:8080",
    ISSUER_URL: issuer.url,
    COUNTERSIGN_CONFIG: join(folder, "countersign.yaml"),
    ...vaultPlaces(),
    FINGERPRINT_KEY_FILE: join(folder, "fingerprint-key"),
  });
  vi.stubEnv("COMPANY_IDP_ISSUER", "http://127.0.0.1:8090");
  vi.stubEnv("COMPANY_IDP_CLIENT_ID", "countersign");
  app = await createService(maskingService, config, log);
  // Other specs publish policies and bundles to the same broker; this one goes by its own.
  const [policy, publisher] = [app.get(PolicyView), app.get(PolicyPublisher)];
  const [take, see] = [policy.take.bind(policy), publisher.seen.bind(publisher)];
  vi.spyOn(policy, "take").mockImplementation((bundle) => {
    if (bundle.version === bundleVersion) take(bundle);
  });
  const own = new Set<unknown>([vaultKeyId, app.get(CardDataPolicyInForce).policy.version]);
  vi.spyOn(publisher, "seen").mockImplementation((news) => {
    const isOwnTransitKey = news.vaultKeyId?.includes(`originals-${vaultKeyId}`);
    if (isOwnTransitKey || own.has(news.policyVersion ?? news.vaultKeyId)) see(news);
  });
  await app.listen(0, "127.0.0.1");
  await app.startAllMicroservices();
  url = await app.getUrl();
}

const policyKnown = (): Promise<void> =>
  vi.waitFor(() => expect(app.get(PolicyView).may("reveal", auditor)).toBe(true), { timeout: 20_000 });

/** An original and its key as the proxy would publish them. */
async function sealed(
  text: string,
  header: { rid?: string } = {},
  { sessionId, keyId } = { sessionId: ids.newId(), keyId: ids.newId() },
  key = randomBytes(32),
) {
  const [originalId, callId] = [ids.newId(), ids.newId()];
  const names = { kid: vaultKeyId, sid: sessionId, skid: keyId };
  const wrapped = await wrapKey(key, names, vaultPair.publicKey);
  const form = await sealText(text, key, { kid: keyId, rid: originalId, ...header });
  const original = {
    originalId,
    sessionId,
    callId,
    endpoint: "payments",
    direction: "server_to_client",
    keyId,
    sealed: form,
    sha256: sha256Of(form),
  };
  const events = [
    eventOf("SessionKeyWrapped", sessionId, { keyId, sessionId, vaultKeyId, wrapped }),
    eventOf("OriginalSealed", sessionId, original),
  ];
  return { original, events };
}

async function storedOriginal(text: string): ReturnType<typeof sealed> {
  const made = await sealed(text);
  await send("mcp.originals", ...made.events);
  await stored(made.original.originalId);
  return made;
}

function recordedCall(text: string): EventMessage {
  const sessionId = ids.newId();
  return eventOf("CallCompleted", sessionId, {
    recorder: { id: `spec-${sessionId}`, epoch: ids.newId(), seq: 0, prevHash: "0".repeat(64) },
    callId: ids.newId(),
    sessionId,
    principal: { id: "company:ada", kind: "human" },
    client: { id: "c1" },
    endpoint: "payments",
    era: "modern",
    method: "tools/call",
    target: "get_transaction",
    outcome: "result",
    response: {
      text,
      sha256: sha256Of(text),
      bytes: text.length,
      contentType: "application/json",
      findings: [],
    },
  });
}

const eventOf = (
  type: string,
  subject: string,
  data: unknown,
  source: EventMessage["source"] = "proxy",
): EventMessage => ({
  id: ids.newId(),
  type,
  source,
  subject,
  time: ids.now().toISOString(),
  data,
});

async function bundleEvent(): Promise<EventMessage> {
  const files = (await readdir(join(folder, "policies"))).filter((file) => file.endsWith(".cedar"));
  const policies = await Promise.all(
    files.map(async (file) => ({ file, text: await readFile(join(folder, "policies", file), "utf8") })),
  );
  const schema = await readFile(join(folder, "policies", "schema.cedarschema"), "utf8");
  const publishedAt = ids.now().toISOString();
  const { endpoints } = (await loadConfiguration(join(folder, "countersign.yaml"), {})).bundle();
  const data = { version: bundleVersion, publishedAt, endpoints, policies, schema };
  return eventOf("PolicyBundlePublished", "bundle", data, "session-broker");
}

const ownPolicies = (): EventMessage[] =>
  seen.filter(
    ({ type, data }) =>
      type === "CardDataPolicyPublished" &&
      (data as { policy: CardDataPolicy }).policy.contextWords.includes(`word-${vaultKeyId}`),
  );
const ownKeys = (): EventMessage[] =>
  seen.filter(
    ({ type, data }) => type === "VaultKeyPublished" && (data as { keyId: string }).keyId === vaultKeyId,
  );
const about = (type: string, originalId: string): EventMessage[] =>
  seen.filter(
    (event) => event.type === type && (event.data as { originalId: string }).originalId === originalId,
  );
const stored = (originalId: string): Promise<void> =>
  vi.waitFor(() => expect(about("OriginalStored", originalId)).toHaveLength(1), { timeout: 20_000 });

const reveal = (
  caller: Principal,
  originalId: string,
  justification = "quarterly review",
): Promise<Response> => post(caller, `/originals/${originalId}/reveal`, { justification });

async function post(caller: Principal, path: string, body: unknown, method = "POST"): Promise<Response> {
  return fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${issuer.token(caller)}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function send(topic: TopicName, ...events: EventMessage[]): Promise<void> {
  await producer.send({ topic, messages: events.map((event) => encodeEvent(event)) });
}
