import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { INestApplication } from "@nestjs/common";
import {
  approvalView,
  type EventMessage,
  type PolicyBundle,
  type Principal,
  type RequestApproval,
  type TopicName,
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
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { approvalConfig } from "./config.js";
import { approvalSchema } from "./index.js";
import { approval } from "./service.js";

const log = createLogger("approval", "silent");
const kafka = createKafka("spec", inject("kafkaBrokers").split(","), log);
const producer = kafka.producer({ allowAutoTopicCreation: false });
const consumer = kafka.consumer({ groupId: `spec-${randomUUID()}`, allowAutoTopicCreation: false });
const issuer = new TestIssuer();
const run = randomUUID().slice(0, 8);
const ids = new Clock();

const seen: EventMessage[] = [];
let database: TestDatabase;
let app: INestApplication;
let api: string;
let db: Client;

const member = (name: string, ...groups: string[]): Principal => ({
  id: `company:${name}-${run}`,
  kind: "human",
  groups,
});
const ada = member("ada", "payments-engineers", "payments-leads");
const grace = member("grace", "payments-leads");
const edsger = member("edsger", "payments-leads");
const mallory = member("mallory", "auditors", "administrators", "payments-engineers");
const robot: Principal = { ...member("robot", "payments-leads"), kind: "workload" };

beforeAll(async () => {
  database = await createDatabase(inject("adminDatabaseUrl"), approvalSchema);
  db = new Client({ connectionString: database.adminUrl });
  await db.connect();
  await issuer.start();

  await producer.connect();
  await consumer.connect();
  await consumer.subscribe({ topics: ["approval.events"], fromBeginning: true });
  await consumer.run({
    eachMessage: ({ message }) => {
      const { event } = decodeEvent("approval.events", message.headers, message.value);
      if (event) seen.push(event);
      return Promise.resolve();
    },
  });
  await send("policy.bundles", envelope("PolicyBundlePublished", "bundle", await bundle()));

  const config = parseConfig("approval", approvalConfig, {
    KAFKA_BROKERS: inject("kafkaBrokers"),
    DATABASE_URL: database.url,
    GATEWAY_URL: "http://127.0.0.1:8080",
    ISSUER_URL: issuer.url,
  });
  app = await createService(approval, config, log);
  await app.listen(0, "127.0.0.1");
  await app.startAllMicroservices();
  api = await app.getUrl();
  await vi.waitFor(
    async () => {
      if (!(await fetch(`${api}/readyz`)).ok) throw new Error("not ready");
    },
    { timeout: 30_000, interval: 100 },
  );
});

afterAll(async () => {
  await app?.close();
  await Promise.allSettled([producer.disconnect(), consumer.disconnect(), db?.end()]);
  issuer.stop();
  await database?.drop();
});

describe("the approval service", () => {
  it("refuses a requester their own call, and puts the attempt on the record", async () => {
    const { approvalId } = await hold();
    expect(await decide(ada, approvalId, "approve")).toMatchObject({
      status: 403,
      body: { error: { code: "own_call" } },
    });
    const { data } = await seenEvent(approvalId, "ApprovalAttemptRefused");
    expect(data).toMatchObject({ by: { id: ada.id }, attempted: "approve", reason: "own_call" });
    expect(await call(ada, "GET", `/approvals/${approvalId}`)).toMatchObject({ body: { status: "pending" } });
  });

  it("refuses those whom no policy designates, workloads among them, and puts the attempts on the record", async () => {
    const { approvalId } = await hold();
    for (const caller of [mallory, robot])
      for (const decision of ["approve", "deny"] as const)
        expect(await decide(caller, approvalId, decision)).toMatchObject({
          status: 403,
          body: { error: { code: "not_designated" } },
        });
    await expect
      .poll(() => eventsOf(approvalId).filter(({ type }) => type === "ApprovalAttemptRefused"))
      .toHaveLength(4);
  });

  it("shows a held call to its requester and its approvers and to nobody else", async () => {
    const { approvalId } = await hold();
    expect((await call(undefined, "GET", "/approvals")).status).toBe(401);
    for (const caller of [mallory, robot]) {
      expect(await call(caller, "GET", "/approvals")).toEqual({ status: 200, body: [] });
      expect((await call(caller, "GET", `/approvals/${approvalId}`)).status).toBe(404);
    }
    for (const caller of [ada, grace]) {
      const { body } = await call(caller, "GET", "/approvals?status=pending&limit=1");
      expect(body).toMatchObject([{ approvalId, status: "pending" }]);
      approvalView.array().parse(body);
    }
    expect((await call(grace, "GET", "/approvals?status=nonsense")).status).toBe(400);
    expect((await decide(grace, ids.newId(), "approve")).status).toBe(404);
  });

  it("grants a call as its approver says, once, bound to exactly that call", async () => {
    const request = await hold();
    expect(await decide(grace, request.approvalId, "approve", "looks right")).toMatchObject({
      status: 200,
      body: { status: "granted", decidedBy: { id: grace.id }, comment: "looks right" },
    });
    const { data } = await seenEvent(request.approvalId, "ApprovalGranted");
    expect(data).toMatchObject({
      callId: request.callId,
      requestDigest: request.requestDigest,
      requesterId: ada.id,
      by: { id: grace.id },
    });
    expect(await decide(edsger, request.approvalId, "deny")).toMatchObject({
      status: 409,
      body: { error: { code: "not_pending" } },
    });
  });

  it("lets one of many who decide at the same moment decide", async () => {
    const { approvalId } = await hold();
    // Holds all of them at the row, so that they do meet.
    await db.query("BEGIN");
    await db.query("SELECT FROM approval.approvals WHERE approval_id = $1 FOR UPDATE", [approvalId]);
    const deciding = Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        decide(index % 2 ? grace : edsger, approvalId, index % 3 ? "approve" : "deny"),
      ),
    );
    await vi.waitFor(
      async () => {
        await db.query("SELECT pg_stat_clear_snapshot()");
        const { rows } = await db.query(
          "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
        );
        expect(rows.length).toBeGreaterThanOrEqual(8);
      },
      { timeout: 10_000, interval: 50 },
    );
    await db.query("COMMIT");
    const answers = await deciding;
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(7);
    await expect.poll(() => eventsOf(approvalId)).toHaveLength(9);
    expect(
      eventsOf(approvalId).filter(({ type }) => type === "ApprovalGranted" || type === "ApprovalDenied"),
    ).toHaveLength(1);
  });

  it("answers a command once, however often it is delivered", async () => {
    const request = requestOf();
    const command = envelope("RequestApproval", request.approvalId, request);
    const withdraw = envelope("WithdrawApproval", request.approvalId, {
      approvalId: request.approvalId,
      reason: "cancelled",
    });
    for (const event of [command, command, { ...command, id: randomUUID() }, withdraw, withdraw])
      await send("approval.commands", event);
    expect(await seenEvent(request.approvalId, "ApprovalWithdrawn")).toMatchObject({
      cause: withdraw.id,
      source: "approval",
    });
    expect(eventsOf(request.approvalId).map(({ type, cause }) => [type, cause])).toEqual([
      ["ApprovalRequested", command.id],
      ["ApprovalWithdrawn", withdraw.id],
    ]);
    expect((await decide(grace, request.approvalId, "approve")).status).toBe(409);
  });

  it("settles what nobody decided in time", async () => {
    const { approvalId } = await hold({ expiresAt: new Date(Date.now() + 5_000).toISOString() });
    await seenEvent(approvalId, "ApprovalExpired");
    expect((await decide(grace, approvalId, "approve")).status).toBe(409);
    expect(await call(grace, "GET", `/approvals/${approvalId}`)).toMatchObject({
      body: { status: "expired" },
    });
  });
});

const requestOf = (changes: Partial<RequestApproval> = {}): RequestApproval => ({
  approvalId: ids.newId(),
  callId: randomUUID(),
  sessionId: randomUUID(),
  requester: ada,
  client: { id: "client" },
  endpoint: "payments",
  tool: "refund",
  arguments: '{"amount_cents":50000}',
  requestDigest: randomUUID(),
  justification: "INC-4711",
  expiresAt: new Date(Date.now() + 60_000).toISOString(),
  ...changes,
});

const hold = async (changes: Partial<RequestApproval> = {}): Promise<RequestApproval> => {
  const request = requestOf(changes);
  await send("approval.commands", envelope("RequestApproval", request.approvalId, request));
  await seenEvent(request.approvalId, "ApprovalRequested");
  return request;
};

const decide = (caller: Principal, approvalId: string, decision: "approve" | "deny", comment?: string) =>
  call(caller, "POST", `/approvals/${approvalId}/decision`, { decision, comment });

const envelope = <T extends string, D>(type: T, subject: string, data: D): EventMessage<T, D> => ({
  id: randomUUID(),
  type,
  source: "proxy",
  subject,
  time: new Date().toISOString(),
  data,
});

async function bundle(): Promise<PolicyBundle> {
  const read = (file: string) => readFile(new URL(`../../../policies/${file}`, import.meta.url), "utf8");
  return {
    version: "spec",
    publishedAt: new Date().toISOString(),
    endpoints: [],
    policies: [{ file: "payments.cedar", text: await read("payments.cedar") }],
    schema: await read("schema.cedarschema"),
  };
}

const send = (topic: TopicName, event: EventMessage) =>
  producer.send({ topic, messages: [encodeEvent(event)] });

const eventsOf = (approvalId: string) => seen.filter(({ subject }) => subject === approvalId);

const seenEvent = (approvalId: string, type: string): Promise<EventMessage> =>
  vi.waitFor(
    () => {
      const event = eventsOf(approvalId).find((event) => event.type === type);
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
