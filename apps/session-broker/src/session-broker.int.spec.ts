import { randomBytes, randomUUID } from "node:crypto";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { INestApplication } from "@nestjs/common";
import {
  type ApprovalGranted,
  type EventMessage,
  type Principal,
  policyBundlePublished,
  type RequestApproval,
  type RequestSession,
  type SessionAwaitsApproval,
  type SessionView,
  sessionView,
  topics,
  type TopicName,
  type ToolChangeAccepted,
} from "@countersign/contracts";
import {
  Clock,
  createKafka,
  createLogger,
  createService,
  decodeEvent,
  encodeEvent,
  parseConfig,
} from "@countersign/service-kit";
import { createDatabase, type TestDatabase, TestIssuer } from "@countersign/service-kit/testing";
import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { BundlePublisher } from "./bundle/bundle-publisher.js";
import { type SessionBrokerConfig, sessionBrokerConfig } from "./config.js";
import { refusalsMax } from "./domain/extend-session.js";
import { sessionBrokerSchema } from "./index.js";
import { sessionBroker } from "./service.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const log = createLogger("session-broker", "silent");
const kafka = createKafka("spec", inject("kafkaBrokers").split(","), log);
const producer = kafka.producer({ allowAutoTopicCreation: false });
const consumer = kafka.consumer({ groupId: `spec-${randomUUID()}`, allowAutoTopicCreation: false });
const issuer = new TestIssuer();
const run = randomUUID().slice(0, 8);

const ids = new Clock();

const seen: EventMessage[] = [];
let database: TestDatabase;
let folder: string;
let config: SessionBrokerConfig;
let app: INestApplication;
let api: string;

const ada: Principal = { id: `company:ada-${run}`, kind: "human", groups: ["payments-engineers"] };
const mallory: Principal = { id: `company:mallory-${run}`, kind: "human", groups: [] };
const eve: Principal = { ...ada, id: `company:eve-${run}` };
const chris: Principal = {
  id: `company:chris-${run}`,
  kind: "human",
  groups: ["payments-engineers", "payments-contractors"],
};
const lee: Principal = {
  id: `company:lee-${run}`,
  kind: "human",
  name: "Lee",
  groups: ["payments-leads"],
};
const administrator: Principal = { id: "company:root", kind: "human", groups: ["administrators"] };

beforeAll(async () => {
  database = await createDatabase(inject("adminDatabaseUrl"), sessionBrokerSchema);
  await issuer.start();
  folder = await mkdtemp(join(tmpdir(), "countersign-broker-"));
  await cp(join(root, "policies"), join(folder, "policies"), { recursive: true });
  await cp(join(root, "countersign.yaml"), join(folder, "countersign.yaml"));

  await producer.connect();
  await consumer.connect();
  await consumer.subscribe({
    topics: ["session.events", "approval.commands", "policy.bundles", "policy.tools"],
    fromBeginning: true,
  });
  await consumer.run({
    eachMessage: ({ topic, message }) => {
      const { event } = decodeEvent(topic as TopicName, message.headers, message.value);
      if (event) seen.push(event);
      return Promise.resolve();
    },
  });

  config = parseConfig("session-broker", sessionBrokerConfig, {
    KAFKA_BROKERS: inject("kafkaBrokers"),
    DATABASE_URL: database.url,
    GATEWAY_URL: "http://127.0.0.1:8080",
    ISSUER_URL: issuer.url,
    COUNTERSIGN_CONFIG: join(folder, "countersign.yaml"),
  });
  await startApp();
});

async function startApp(): Promise<void> {
  app = await createService(sessionBroker, config, log);
  await app.listen(0, "127.0.0.1");
  await app.startAllMicroservices();
  api = await app.getUrl();
}

afterAll(async () => {
  await app?.close();
  await Promise.allSettled([producer.disconnect(), consumer.disconnect()]);
  issuer.stop();
  await database?.drop();
  if (folder) await rm(folder, { recursive: true });
});

describe("the session broker", () => {
  it("publishes its bundle at start, once", async () => {
    const [held] = await database.query<{ version: string }>("SELECT version FROM session_broker.bundles");
    const bundle = await seenEvent(
      ({ type, data }) =>
        type === "PolicyBundlePublished" && policyBundlePublished.data.parse(data).version === held?.version,
    );
    expect(bundle.subject).toBe("bundle");
    expect(policyBundlePublished.data.parse(bundle.data).endpoints[0]?.name).toBe("payments");
    await app.get(BundlePublisher).takeUp();
    expect(await database.query("SELECT count(*)::int AS count FROM session_broker.bundles")).toEqual([
      { count: 1 },
    ]);
  });

  it("grants a session as the answer to its command, and shows it to its owner", async () => {
    const command = commandOf(request(ada));
    await send("session.commands", command);
    const [requested, granted] = await answersTo(command, 2);
    expect([requested?.type, granted?.type]).toEqual(["SessionRequested", "SessionGranted"]);
    expect(granted).toMatchObject({
      source: "session-broker",
      subject: command.subject,
      data: { policies: ["payments-open-session"], idleSeconds: 900 },
    });
    const { status, body } = await call(ada, "GET", `/sessions/${command.subject}`);
    expect(status).toBe(200);
    expect(sessionView.parse(body)).toMatchObject({ status: "active", principal: ada });
  });

  it("denies a session to those whom no policy permits, and to an endpoint that does not exist", async () => {
    for (const data of [request(mallory), { ...request(ada), endpoint: "crm" }]) {
      const command = commandOf(data);
      await send("session.commands", command);
      expect((await answersTo(command, 2)).map(({ type }) => type)).toEqual([
        "SessionRequested",
        "SessionDenied",
      ]);
    }
  });

  it("answers a command once, however often it is delivered", async () => {
    const command = commandOf(request(ada));
    await send("session.commands", command);
    await send("session.commands", command);
    await send("session.commands", { ...command, id: randomUUID() });
    const revoke = revocationOf(command.subject);
    await send("session.commands", revoke);
    await answersTo(revoke, 1);
    expect(seen.filter(({ subject }) => subject === command.subject).map(({ type }) => type)).toEqual([
      "SessionRequested",
      "SessionGranted",
      "SessionRevoked",
    ]);
  });

  it("lets nobody near a session but its owner and administrators", async () => {
    const { sessionId } = await openSession();
    const revoke = { reason: "done" };
    expect((await call(undefined, "GET", "/sessions")).status).toBe(401);
    expect(await call(eve, "GET", "/sessions")).toEqual({ status: 200, body: [] });
    expect((await call(eve, "GET", `/sessions/${sessionId}`)).status).toBe(404);
    expect((await call(eve, "POST", `/sessions/${sessionId}/revoke`, revoke)).status).toBe(404);
    expect((await call(ada, "POST", "/sessions/revoke", { ...revoke, endpoint: "payments" })).status).toBe(
      403,
    );
    expect((await call(administrator, "POST", "/sessions/revoke", revoke)).status).toBe(400);
    expect(await call(ada, "GET", `/sessions/${sessionId}`)).toMatchObject({ body: { status: "active" } });
    expect(
      await call(administrator, "GET", `/sessions?principal=${ada.id}&status=active&limit=1`),
    ).toMatchObject({
      status: 200,
      body: [{ sessionId }],
    });
    expect(await call(ada, "POST", `/sessions/${sessionId}/revoke`, revoke)).toMatchObject({
      status: 200,
      body: { status: "revoked", reason: "done" },
    });
    expect(await call(ada, "POST", `/sessions/${sessionId}/revoke`, revoke)).toMatchObject({
      status: 409,
      body: { error: { code: "session_ended" } },
    });
    await seenEvent(({ type, subject }) => type === "SessionRevoked" && subject === sessionId);
  });

  it("lets an administrator end everything that a principal has open", async () => {
    const open = [await openSession(), await openSession()];
    const { body } = await call(administrator, "POST", "/sessions/revoke", {
      principal: ada.id,
      reason: "left",
    });
    expect(body).toMatchObject({ revoked: expect.any(Number) });
    for (const { sessionId } of open) {
      const { data } = await seenEvent(
        ({ type, subject }) => type === "SessionRevoked" && subject === sessionId,
      );
      expect(data).toMatchObject({ by: { id: administrator.id }, reason: "left" });
    }
    expect(await call(ada, "GET", "/sessions?status=active")).toEqual({ status: 200, body: [] });
  });

  it("ends a session when its time is over", async () => {
    const { sessionId } = await openSession({ durationSeconds: 1 });
    const { data } = await seenEvent(
      ({ type, subject }) => type === "SessionExpired" && subject === sessionId,
    );
    expect(data).toMatchObject({ cause: "duration" });
  });

  it("ends a session that is idle, but not one that is used; a ping is no use", async () => {
    const [used, idle] = [await openSession(), await openSession()];
    await database.query("UPDATE session_broker.sessions SET idle_seconds = 6 WHERE session_id = ANY($1)", [
      [used.sessionId, idle.sessionId],
    ]);
    const isOver = ({ type, subject }: EventMessage) =>
      type === "SessionExpired" && subject === idle.sessionId;
    const using = async (): Promise<boolean> => {
      await send("mcp.traffic", trafficOf(used.sessionId, "tools/call"));
      await send("mcp.traffic", trafficOf(idle.sessionId, "ping"));
      return seen.some(isOver);
    };
    await expect.poll(using, { timeout: 30_000, interval: 500 }).toBe(true);
    expect((await seenEvent(isOver)).data).toMatchObject({ cause: "idle" });
    expect(await call(ada, "GET", `/sessions/${used.sessionId}`)).toMatchObject({
      body: { status: "active" },
    });
    await seenEvent(({ type, subject }) => type === "SessionExpired" && subject === used.sessionId);
  });

  it("keeps the old policies while the new ones are wrong, and takes them up once they are right", async () => {
    const path = join(folder, "policies", "payments.cedar");
    const right = await readFile(path, "utf8");
    await writeFile(path, `${right}\npermit(principal`);
    await expect
      .poll(async () => (await fetch(`${api}/metrics`)).text())
      .toMatch(/countersign_configuration_refused\{.*\} 1/);
    await openSession();

    await writeFile(
      path,
      `${right}\n@id("freeze") forbid(principal, action == Action::"openSession", resource);`,
    );
    await vi.waitFor(
      async () =>
        expect((await call(administrator, "GET", "/policy")).body).toMatchObject({
          policies: expect.arrayContaining([
            expect.objectContaining({ text: expect.stringContaining("freeze") }),
          ]),
        }),
      { timeout: 10_000, interval: 200 },
    );
    const command = commandOf(request(ada));
    await send("session.commands", command);
    expect((await answersTo(command, 2))[1]).toMatchObject({
      type: "SessionDenied",
      data: { policies: ["freeze"] },
    });
    await writeFile(path, right);
    await app.get(BundlePublisher).takeUp();
  });

  it("bounds how many sessions a principal has on an endpoint, however many ask at once", async () => {
    const path = join(folder, "countersign.yaml");
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replace("maximum: 1h", "perPrincipal: 3\n      maximum: 1h"));
    await app.get(BundlePublisher).takeUp();
    const grace: Principal = { ...ada, id: `company:grace-${run}` };
    const commands = Array.from({ length: 8 }, () => commandOf(request(grace)));
    await Promise.all(commands.map((command) => send("session.commands", command)));
    const answers = await Promise.all(commands.map((command) => answersTo(command, 2)));
    const types = answers.map(([, answer]) => answer?.type);
    expect(types.filter((type) => type === "SessionGranted")).toHaveLength(3);
    expect(types.filter((type) => type === "SessionDenied")).toHaveLength(5);
    await writeFile(path, text);
    await app.get(BundlePublisher).takeUp();
  });

  it("ends sessions whose shift is over: those that no policy would permit any more", async () => {
    const path = join(folder, "policies", "payments.cedar");
    const text = await readFile(path, "utf8");
    const { sessionId } = await openSession();
    const shift = `@id("shift") forbid(principal, action == Action::"openSession", resource)
      when { context.now.time > datetime("2026-01-01") && principal.id == "${ada.id}" };`;
    await writeFile(path, `${text}\n${shift}`);
    await app.get(BundlePublisher).takeUp();
    const { data } = await seenEvent(
      ({ type, subject }) => type === "SessionExpired" && subject === sessionId,
    );
    expect(data).toMatchObject({ cause: "policy" });
    await writeFile(path, text);
    await app.get(BundlePublisher).takeUp();
  });

  it("says who ended a session, and in which role", async () => {
    for (const [caller, cause] of [
      [ada, "person"],
      [administrator, "administrator"],
    ] as const) {
      const { sessionId } = await openSession();
      await call(caller, "POST", `/sessions/${sessionId}/revoke`, { reason: "done" });
      const { data } = await seenEvent(
        ({ type, subject }) => type === "SessionRevoked" && subject === sessionId,
      );
      expect(data).toMatchObject({ cause, by: { id: caller.id } });
    }
  });

  it("tells administrators alone who could reach what, and who did", async () => {
    await openSession();
    expect((await call(ada, "GET", "/access-review")).status).toBe(403);
    expect((await call(administrator, "GET", "/access-review?days=0")).status).toBe(400);
    const { status, body } = await call(administrator, "GET", "/access-review?days=7");
    expect(status).toBe(200);
    const { access } = body as { access: Record<string, unknown>[] };
    expect(access.find(({ id }) => id === ada.id)).toMatchObject({
      endpoint: "payments",
      permitted: true,
      policies: ["payments-open-session"],
      throughGroups: ["payments-engineers"],
      lastAt: expect.stringMatching(/Z$/),
    });
    expect(access.find(({ id }) => id === mallory.id)).toMatchObject({ permitted: false, denied: 1 });
    expect(access.find(({ id }) => id === "payments-engineers")).toMatchObject({ subject: "group" });
    const table = await fetch(`${api}/access-review.csv`, {
      headers: { authorization: `Bearer ${issuer.token(administrator)}` },
    });
    expect(table.headers.get("content-type")).toContain("text/csv");
    expect(table.headers.get("content-disposition")).toMatch(/"access-review-\d{4}-\d\d-\d\d\.csv"$/);
    expect(await table.text()).toContain(`principal,${ada.id},human`);
  });

  it("checks and simulates policies for administrators alone", async () => {
    const question = { action: "call", principal: ada, endpoint: "payments", client: { id: "c" } };
    const refund = { ...question, operation: { kind: "tool", name: "refund" }, arguments: {} };
    const policies = [{ file: "a.cedar", text: "permit(principal, action, resource);" }];
    for (const path of ["/policy/check", "/policy/simulate"])
      expect((await call(ada, "POST", path, { policies, request: refund })).status).toBe(403);
    expect((await call(ada, "GET", "/policy")).status).toBe(403);
    expect(
      await call(administrator, "POST", "/policy/check", {
        policies: [{ file: "a.cedar", text: "permit(" }],
      }),
    ).toMatchObject({ body: { problems: [{ file: "a.cedar", line: 1 }] } });
    const drop = { ...question, operation: { kind: "tool", name: "drop" } };
    expect((await call(administrator, "POST", "/policy/simulate", { request: drop })).body).toMatchObject({
      allowed: false,
    });
    expect(
      (await call(administrator, "POST", "/policy/simulate", { request: drop, policies })).body,
    ).toMatchObject({
      allowed: true,
      policies: ["a.cedar#1"],
    });
  });

  it("lets administrators alone accept a tool's change, and exactly the one they looked at", async () => {
    const digest = randomBytes(32).toString("hex");
    const path = "/endpoints/payments/tools/refund/accept";
    expect((await call(ada, "POST", path, { digest })).status).toBe(403);
    expect((await call(administrator, "POST", path, {})).status).toBe(400);
    const elsewhere = "/endpoints/nowhere/tools/refund/accept";
    expect((await call(administrator, "POST", elsewhere, { digest })).status).toBe(404);
    expect((await call(administrator, "POST", path, { digest })).status).toBe(200);
    const accepted = await seenEvent(
      ({ type, data }) => type === "ToolChangeAccepted" && (data as ToolChangeAccepted).digest === digest,
    );
    expect(accepted.subject).toBe("payments/refund");
    expect(accepted.data).toEqual({
      endpoint: "payments",
      tool: "refund",
      digest,
      by: { id: administrator.id },
    });
  });

  it("shows what stands behind an endpoint to administrators alone", async () => {
    const url = "http://127.0.0.1:8080/mcp/payments";
    expect((await call(mallory, "GET", "/endpoints")).body).toEqual([
      { name: "payments", title: "Payments", url },
    ]);
    expect((await call(administrator, "GET", "/endpoints")).body).toMatchObject([{ url, upstream: {} }]);
  });
});

describe("very many sessions", () => {
  const many = 501;
  const openMany = async (principal: Principal): Promise<string[]> => {
    const [row] = await database.query<{ json: object }>(
      "SELECT to_jsonb(s) AS json FROM session_broker.sessions AS s WHERE session_id = $1",
      [(await openSession({ principal })).sessionId],
    );
    const rows = Array.from({ length: many - 1 }, () => {
      const data = request(principal);
      return { ...row?.json, session_id: data.sessionId, request: data };
    });
    await database.query(
      "INSERT INTO session_broker.sessions SELECT * FROM jsonb_populate_recordset(NULL::session_broker.sessions, $1)",
      [JSON.stringify(rows)],
    );
    const open = await database.query<{ session_id: string }>(
      "SELECT session_id FROM session_broker.sessions WHERE principal_id = $1",
      [principal.id],
    );
    return open.map(({ session_id }) => session_id);
  };
  const endsOf = (ids: ReadonlySet<string>) =>
    seen.filter(
      ({ type, subject }) => (type === "SessionRevoked" || type === "SessionExpired") && ids.has(subject),
    );
  /** Every one has ended, and is told of once: what came later would have been seen by then. */
  const allEndedOnce = async (ids: readonly string[]): Promise<EventMessage[]> => {
    const set = new Set(ids);
    expect(set.size).toBe(many);
    await vi.waitFor(() => expect(new Set(endsOf(set).map(({ subject }) => subject)).size).toBe(many), {
      timeout: 20_000,
      interval: 20,
    });
    const later = await openSession();
    await call(ada, "POST", `/sessions/${later.sessionId}/revoke`, { reason: "done" });
    await seenEvent(({ type, subject }) => type === "SessionRevoked" && subject === later.sessionId);
    expect(endsOf(set)).toHaveLength(many);
    return endsOf(set);
  };
  const transactionsOn = async ({ id }: Principal): Promise<number> => {
    const [counted] = await database.query<{ count: number }>(
      "SELECT count(DISTINCT xmin::text)::int AS count FROM session_broker.sessions WHERE principal_id = $1",
      [id],
    );
    return counted?.count ?? 0;
  };
  const member = (name: string): Principal => ({ ...ada, id: `company:${name}-${run}` });

  it("end by one request, every one with an event of its own, in few transactions", async () => {
    const ivy = member("ivy");
    const ids = await openMany(ivy);
    const { body } = await call(administrator, "POST", "/sessions/revoke", {
      principal: ivy.id,
      reason: "left",
    });
    expect(body).toEqual({ revoked: many });
    expect(await transactionsOn(ivy)).toBeLessThan(10);
    for (const { type, data } of await allEndedOnce(ids))
      expect([type, data]).toEqual([
        "SessionRevoked",
        expect.objectContaining({
          principalId: ivy.id,
          by: { id: administrator.id },
          cause: "administrator",
          reason: "left",
        }),
      ]);
    expect((await call(ivy, "GET", "/sessions?status=active")).body).toEqual([]);
  });

  it("end once each, though others end them at the same time and calls go on", async () => {
    const jay = member("jay");
    const ids = await openMany(jay);
    const revoke = { principal: jay.id, reason: "left" };
    const using = ids.map((id) => send("mcp.traffic", trafficOf(id, "tools/call")));
    const single = ids
      .slice(-40)
      .map((id) => call(jay, "POST", `/sessions/${id}/revoke`, { reason: "done" }));
    const commands = ids.slice(0, 40).map((id) => send("session.commands", revocationOf(id)));
    const answers = await Promise.all([
      call(administrator, "POST", "/sessions/revoke", revoke),
      call(administrator, "POST", "/sessions/revoke", { ...revoke, endpoint: "payments" }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    for (const { status } of await Promise.all(single)) expect([200, 409]).toContain(status);
    await Promise.all([...using, ...commands]);
    await allEndedOnce(ids);
  });

  it("end with what permitted them, in few transactions", async () => {
    const kim = member("kim");
    const ids = await openMany(kim);
    const path = join(folder, "policies", "kim.cedar");
    await writeFile(
      path,
      `@id("kim") forbid(principal == User::"${kim.id}", action == Action::"openSession", resource);`,
    );
    await app.get(BundlePublisher).takeUp();
    const ends = await allEndedOnce(ids);
    await rm(path);
    await app.get(BundlePublisher).takeUp();
    for (const { data } of ends) expect(data).toMatchObject({ cause: "policy" });
    expect(await transactionsOn(kim)).toBeLessThan(10);
  });
});

describe("the length of a session", () => {
  const hal: Principal = { ...ada, id: `company:hal-${run}` };
  const asked = async (durationSeconds: number | undefined, more: Partial<RequestSession> = {}) => {
    const data = { ...request(hal), ...(durationSeconds ? { durationSeconds } : {}), ...more };
    const command = commandOf(data);
    await send("session.commands", command);
    return (await answersTo(command, 2))[1];
  };
  const extend = ({ subject }: EventMessage, durationSeconds: number) =>
    call(hal, "POST", `/sessions/${subject}/extend`, { durationSeconds, justification: "INC-4711 goes on" });
  const withPolicy = async (text: string, run: () => Promise<void>): Promise<void> => {
    const path = join(folder, "policies", "length.cedar");
    await writeFile(path, text.replaceAll("hal", `principal.id == "${hal.id}"`));
    await app.get(BundlePublisher).takeUp();
    try {
      await run();
    } finally {
      await rm(path);
      await app.get(BundlePublisher).takeUp();
    }
  };
  const limit = (minutes: number) =>
    `@id("limit") forbid(principal, action == Action::"openSession", resource) when { hal && context.minutes > ${minutes} };`;

  it("is bounded by policy, and whoever asks for more is told that a shorter one may be possible", async () => {
    await withPolicy(limit(15), async () => {
      for (const seconds of [undefined, 901, 86_400])
        expect(await asked(seconds)).toMatchObject({
          type: "SessionDenied",
          data: {
            reason: "A policy forbids it: limit. A shorter session may be possible; ask for less time.",
          },
        });
      expect((await asked(900))?.type).toBe("SessionGranted");
      const question = { ...request(hal), action: "openSession" };
      for (const [seconds, allowed] of [
        [900, true],
        [901, false],
        [undefined, false],
      ])
        expect(
          (
            await call(administrator, "POST", "/policy/simulate", {
              request: { ...question, durationSeconds: seconds },
            })
          ).body,
        ).toMatchObject({ allowed, errors: [] });
    });
    await withPolicy(limit(0), async () => {
      expect((await asked(900))?.data).toMatchObject({ reason: "A policy forbids it: limit." });
    });
  });

  it("is judged after the endpoint's maximum was applied", async () => {
    await withPolicy(limit(60), async () => {
      expect((await asked(86_400))?.type).toBe("SessionGranted");
    });
  });

  it("lets short ones begin alone, and long ones wait", async () => {
    const waits = `@id("waits") forbid(principal, action == Action::"openSessionUnattended", resource) when { hal && context.minutes > 15 };`;
    await withPolicy(waits, async () => {
      expect((await asked(900))?.type).toBe("SessionGranted");
      expect((await asked(901, { canWait: true }))?.type).toBe("SessionAwaitsApproval");
      expect((await asked(901))?.data).toMatchObject({
        reason: expect.stringContaining("A shorter session may be possible"),
      });
    });
  });

  it("is not got round by more time, neither when it is asked for nor when it is approved", async () => {
    let pending: EventMessage | undefined;
    await withPolicy(limit(20), async () => {
      const session = await asked(900);
      if (!session) throw new Error("no session");
      expect(await extend(session, 301)).toMatchObject({
        status: 403,
        body: {
          error: {
            code: "forbidden_by_policy",
            message: "A policy forbids a session of 21 minutes in all: limit.",
          },
        },
      });
      expect((await extend(session, 300)).status).toBe(202);
      pending = session;
    });
    await withPolicy(limit(19), async () => {
      const sessionId = pending?.subject;
      const asks = await seenEvent(
        ({ type, data }) => type === "RequestApproval" && (data as RequestApproval).sessionId === sessionId,
      );
      await sendApproval("ApprovalGranted", asks.data as RequestApproval, { by: lee });
      const refused = await seenEvent(
        ({ type, subject }) => type === "SessionExtensionRefused" && subject === sessionId,
      );
      expect(refused.data).toMatchObject({
        cause: "void",
        reason: expect.stringContaining("or not for 20 minutes in all"),
      });
    });
  });

  it("is looked at again while it lasts: whoever has more than the policies permit now loses it", async () => {
    const [long, short] = [await asked(1_800), await asked(900)];
    await withPolicy(limit(15), async () => {
      const { data } = await seenEvent(
        ({ type, subject }) => type === "SessionExpired" && subject === long?.subject,
      );
      expect(data).toMatchObject({ cause: "policy" });
      expect((await call(hal, "GET", `/sessions/${short?.subject}`)).body).toMatchObject({
        status: "active",
      });
    });
  });
});

describe("a session that somebody has to approve", () => {
  const endOf = (sessionId: string) =>
    seenEvent(
      ({ type, subject }) => subject === sessionId && (type === "SessionGranted" || type === "SessionDenied"),
    );

  it("is opened by nobody but another person whom the policies designate, for exactly what was asked", async () => {
    const refused: [Partial<ApprovalGranted>, string][] = [
      [{ by: chris }, "nobody approves their own"],
      [{ by: { ...chris, groups: ["payments-leads"] } }, "nobody approves their own"],
      [{ by: eve }, "no policy lets"],
      [{ by: { ...lee, groups: [] } }, "no policy lets Lee give it"],
      [{ requestDigest: "0".repeat(64) }, "something else"],
    ];
    for (const [changes, words] of refused) {
      const waiting = await awaitApproval();
      await sendApproval("ApprovalGranted", waiting, { by: lee, ...changes });
      expect(await endOf(waiting.sessionId)).toMatchObject({
        type: "SessionDenied",
        data: { cause: "void", reason: expect.stringContaining(words) },
      });
    }
  });

  it("is not opened after its time, nor by the approval of another one", async () => {
    const [late, other] = [await awaitApproval(), await awaitApproval()];
    await sendApproval("ApprovalGranted", other, { by: lee, requestDigest: late.requestDigest });
    expect((await endOf(other.sessionId)).type).toBe("SessionDenied");
    await database.query(
      `UPDATE session_broker.sessions SET waits_until = now(), wait = jsonb_set(wait, '{waitsUntil}', to_jsonb($2::text))
       WHERE session_id = $1`,
      [late.sessionId, new Date().toISOString()],
    );
    expect(await endOf(late.sessionId)).toMatchObject({ type: "SessionDenied", data: { cause: "expired" } });
    await sendApproval("ApprovalGranted", late, { by: lee });
    await drained();
    expect(await call(chris, "GET", `/sessions/${late.sessionId}`)).toMatchObject({
      body: { status: "denied" },
    });
  });

  it("is not opened where policy permits it no more at the moment of the approval", async () => {
    const path = join(folder, "policies", "payments.cedar");
    const text = await readFile(path, "utf8");
    const waiting = await awaitApproval();
    await writeFile(
      path,
      `${text}\n@id("freeze") forbid(principal, action == Action::"openSession", resource);`,
    );
    await app.get(BundlePublisher).takeUp();
    await sendApproval("ApprovalGranted", waiting, { by: lee });
    expect(await endOf(waiting.sessionId)).toMatchObject({
      type: "SessionDenied",
      data: {
        cause: "void",
        reason: "It was approved, but: A policy forbids it: freeze.",
        by: { id: lee.id },
      },
    });
    await writeFile(path, text);
    await app.get(BundlePublisher).takeUp();
  });

  it("is refused at once to who cannot wait", async () => {
    const command = commandOf({ ...request(chris), canWait: false });
    await send("session.commands", command);
    expect((await answersTo(command, 2))[1]).toMatchObject({
      type: "SessionDenied",
      data: { reason: expect.stringContaining("Another person has to approve this session") },
    });
  });

  it("waits through a restart, and begins once though its approval is told twice", async () => {
    const waiting = await awaitApproval();
    expect(await call(chris, "GET", `/sessions/${waiting.sessionId}`)).toMatchObject({
      body: { status: "waiting", approvalId: waiting.approvalId, waitsUntil: waiting.waitsUntil },
    });
    await app.close();
    const told = await sendApproval("ApprovalGranted", waiting, { by: lee, comment: "for the audit" });
    await send("approval.events", told);
    await send("approval.events", { ...told, id: randomUUID() });
    await startApp();
    expect(await endOf(waiting.sessionId)).toMatchObject({
      type: "SessionGranted",
      cause: told.id,
      data: { principal: chris, approvedBy: { id: lee.id, name: "Lee" }, comment: "for the audit" },
    });
    await drained();
    const types = seen.filter(({ subject }) => subject === waiting.sessionId).map(({ type }) => type);
    expect(types).toEqual(["SessionRequested", "SessionAwaitsApproval", "SessionGranted"]);
    expect(await call(chris, "GET", `/sessions/${waiting.sessionId}`)).toMatchObject({
      body: { status: "active", approvedBy: { id: lee.id, name: "Lee" } },
    });
  });

  it("is refused with the approver's words, and dropped when it is revoked", async () => {
    const [refused, dropped] = [await awaitApproval(), await awaitApproval()];
    await sendApproval("ApprovalDenied", refused, { by: lee, comment: "wrong ticket" });
    expect(await endOf(refused.sessionId)).toMatchObject({
      data: { cause: "denied", reason: "Lee refused it: wrong ticket", by: { id: lee.id } },
    });
    expect((await call(eve, "POST", `/sessions/${dropped.sessionId}/revoke`, { reason: "x" })).status).toBe(
      404,
    );
    await call(chris, "POST", `/sessions/${dropped.sessionId}/revoke`, { reason: "not needed" });
    expect(await endOf(dropped.sessionId)).toMatchObject({
      data: { cause: "withdrawn", reason: "not needed" },
    });
    await seenEvent(({ type, subject }) => type === "WithdrawApproval" && subject === dropped.approvalId);
  });

  it("is not asked for without end", async () => {
    const dora: Principal = { ...chris, id: `company:dora-${run}` };
    const commands = Array.from({ length: 7 }, () => commandOf({ ...request(dora), canWait: true }));
    for (const command of commands) await send("session.commands", command);
    const answers = await Promise.all(commands.map((command) => answersTo(command, 2)));
    const types = answers.map(([, answer]) => answer?.type);
    expect(types.filter((type) => type === "SessionDenied").length).toBeGreaterThan(0);
    const { body } = await call(administrator, "POST", "/sessions/revoke", {
      principal: dora.id,
      reason: "x",
    });
    expect(body).toEqual({ revoked: types.filter((type) => type === "SessionAwaitsApproval").length });
  });

  it("can have more time if another person approves it, and nobody else asks", async () => {
    const { sessionId } = await openSession();
    const ask = (caller: Principal, durationSeconds: number) =>
      call(caller, "POST", `/sessions/${sessionId}/extend`, {
        durationSeconds,
        justification: "INC-4711 goes on",
      });
    for (const other of [eve, administrator]) expect((await ask(other, 600)).status).toBe(404);
    expect((await ask(ada, 0)).status).toBe(400);
    expect(await ask(ada, 1_801)).toMatchObject({
      status: 422,
      body: { error: { code: "extension_too_long", message: expect.stringContaining("1800 seconds more") } },
    });
    const before = await call(ada, "GET", `/sessions/${sessionId}`);
    expect(await ask(ada, 600)).toMatchObject({ status: 202, body: { extension: { status: "pending" } } });
    expect(await ask(ada, 600)).toMatchObject({
      status: 409,
      body: { error: { code: "extension_pending" } },
    });
    const asked = await seenEvent(
      ({ type, data }) => type === "RequestApproval" && (data as RequestApproval).sessionId === sessionId,
    );
    expect(asked.data).toMatchObject({
      kind: "extension",
      tool: "session:extend",
      requester: { id: ada.id },
    });
    const extension = asked.data as RequestApproval;

    await sendApproval("ApprovalGranted", extension, { by: ada });
    expect(
      await seenEvent(({ type, subject }) => type === "SessionExtensionRefused" && subject === sessionId),
    ).toMatchObject({ data: { cause: "void" } });
    expect((before.body as SessionView).expiresAt).toBe(
      ((await call(ada, "GET", `/sessions/${sessionId}`)).body as SessionView).expiresAt,
    );

    const { body } = await ask(ada, 600);
    const { approvalId, extendedUntil } = (
      body as { extension: { approvalId: string; extendedUntil: string } }
    ).extension;
    const again = await seenEvent(
      ({ type, subject }) => type === "RequestApproval" && subject === approvalId,
    );
    await sendApproval("ApprovalGranted", again.data as RequestApproval, { by: lee });
    expect(
      await seenEvent(({ type, subject }) => type === "SessionExtended" && subject === sessionId),
    ).toMatchObject({
      data: { expiresAt: extendedUntil, approvedBy: { id: lee.id }, justification: "INC-4711 goes on" },
    });
    expect(await call(ada, "GET", `/sessions/${sessionId}`)).toMatchObject({
      body: { expiresAt: extendedUntil, extension: { status: "granted", decidedBy: { id: lee.id } } },
    });
    for (let refusals = 1; refusals < refusalsMax; refusals += 1) {
      const asked = (await ask(ada, 60)).body as { extension: { approvalId: string } };
      const { approvalId } = asked.extension;
      const waits = await seenEvent(
        ({ type, subject }) => type === "RequestApproval" && subject === approvalId,
      );
      await sendApproval("ApprovalDenied", waits.data as RequestApproval, { by: lee });
      await seenEvent(
        ({ type, data }) =>
          type === "SessionExtensionRefused" && (data as { approvalId?: string }).approvalId === approvalId,
      );
    }
    for (let attempt = 0; attempt < 3; attempt += 1)
      expect(await ask(ada, 60)).toMatchObject({
        status: 409,
        body: {
          error: { code: "extension_exhausted", message: expect.stringContaining("open a new session") },
        },
      });
    await call(ada, "POST", `/sessions/${sessionId}/revoke`, { reason: "done" });
    await seenEvent(({ type, subject }) => type === "SessionRevoked" && subject === sessionId);
    const recorded = seen.filter(
      ({ type, subject, data }) =>
        type === "SessionExtensionRefused" &&
        subject === sessionId &&
        (data as { cause: string }).cause === "exhausted",
    );
    expect(recorded).toHaveLength(1);
    expect(await ask(ada, 1)).toMatchObject({ status: 409, body: { error: { code: "session_ended" } } });
  });
});

const awaitApproval = async (principal = chris): Promise<SessionAwaitsApproval> => {
  const command = commandOf({ ...request(principal), canWait: true });
  await send("session.commands", command);
  const [, awaits] = await answersTo(command, 2);
  expect(awaits?.type).toBe("SessionAwaitsApproval");
  return awaits?.data as SessionAwaitsApproval;
};

const sendApproval = async (
  type: "ApprovalGranted" | "ApprovalDenied",
  {
    approvalId,
    sessionId,
    requestDigest,
  }: Pick<RequestApproval, "approvalId" | "sessionId" | "requestDigest">,
  changes: Partial<ApprovalGranted>,
): Promise<EventMessage> => {
  const about = { approvalId, sessionId, requestDigest, endpoint: "payments", tool: "session:open" };
  const event = envelope(type, approvalId, { ...about, requesterId: "x", ...changes });
  await send("approval.events", event);
  return event;
};

/** Whatever was told before has been heard: a later approval of another session has. */
const drained = async (): Promise<void> => {
  for (let partition = 0; partition < topics["approval.events"].partitions; partition += 1) {
    const waiting = await awaitApproval();
    await producer.send({
      topic: "approval.events",
      messages: [
        {
          ...encodeEvent(
            envelope("ApprovalExpired", waiting.approvalId, {
              approvalId: waiting.approvalId,
              sessionId: waiting.sessionId,
              requesterId: "x",
              requestDigest: waiting.requestDigest,
              endpoint: "payments",
              tool: "session:open",
            }),
          ),
          partition,
        },
      ],
    });
    await seenEvent(({ type, subject }) => type === "SessionDenied" && subject === waiting.sessionId);
  }
};

const request = (principal: Principal): RequestSession => ({
  sessionId: ids.newId(),
  principal,
  authentication: { provider: "company" },
  client: { id: "client" },
  endpoint: "payments",
  justification: "INC-4711",
});

const envelope = <T extends string, D>(type: T, subject: string, data: D): EventMessage<T, D> => ({
  id: randomUUID(),
  type,
  source: "proxy",
  subject,
  time: new Date().toISOString(),
  data,
});
const commandOf = (data: RequestSession) => envelope("RequestSession", data.sessionId, data);
const revocationOf = (sessionId: string) =>
  envelope("RevokeSession", sessionId, { sessionId, by: { id: "identity" }, reason: "logged out" });

const trafficOf = (sessionId: string, method: string) =>
  envelope("CallIntended", sessionId, {
    recorder: { id: "proxy", epoch: randomUUID(), seq: 0, prevHash: "0".repeat(64) },
    callId: randomUUID(),
    sessionId,
    principal: { id: ada.id, kind: ada.kind },
    client: { id: "client" },
    endpoint: "payments",
    era: "legacy",
    method,
    request: { text: "{}", sha256: "0".repeat(64), bytes: 2, contentType: "application/json", findings: [] },
    decision: { effect: "allow", policies: [], bundleVersion: "v" },
  });

const send = (topic: TopicName, event: EventMessage) =>
  producer.send({ topic, messages: [encodeEvent(event)] });

const openSession = async (changes: Partial<RequestSession> = {}): Promise<RequestSession> => {
  const data = { ...request(ada), ...changes };
  const command = commandOf(data);
  await send("session.commands", command);
  expect((await answersTo(command, 2))[1]?.type).toBe("SessionGranted");
  return data;
};

const answersTo = (command: EventMessage, count: number): Promise<EventMessage[]> =>
  vi.waitFor(
    () => {
      const answers = seen.filter(({ cause }) => cause === command.id);
      expect(answers).toHaveLength(count);
      return answers;
    },
    { timeout: 20_000, interval: 20 },
  );
const seenEvent = (matches: (event: EventMessage) => boolean): Promise<EventMessage> =>
  vi.waitFor(
    () => {
      const event = seen.find(matches);
      if (!event) throw new Error("not seen");
      return event;
    },
    { timeout: 20_000, interval: 20 },
  );

async function call(
  caller: Principal | undefined,
  method: string,
  path: string,
  body?: object,
): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${api}${path}`, {
    method,
    headers: {
      ...(caller ? { authorization: `Bearer ${issuer.token(caller)}` } : {}),
      "content-type": "application/json",
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  return { status: response.status, body: await response.json() };
}
