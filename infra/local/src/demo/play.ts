import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ApprovalView, OcsfEvent, RecordView } from "@countersign/contracts";
import { apiTokenOf, callApi, connectAs, type ConnectedClient } from "../people/person.js";
import { repositoryRoot } from "../repository.js";
import type { Suite } from "../suite.js";
import { callsReceived, callTool, eventually, payments } from "./calls.js";
import { readSiem } from "./siem.js";
import { Told } from "./told.js";

/** The main job from end to end, with a real MCP client; every step says what it saw and has to hold. */
export async function play(suite: Suite, print: (line: string) => void): Promise<void> {
  const told = new Told(print);
  const endpoint = `${suite.urls.proxy}/mcp/payments`;
  await discover(told, endpoint);
  const engineer = await logIn(told, endpoint);
  try {
    await masked(told, suite, engineer);
    await forbidden(told, suite, engineer);
    const approvalId = await heldRefund(told, suite, engineer);
    const { sessionId, auditor } = await timeline(told, suite, approvalId);
    await siem(told, suite, sessionId);
    await bundle(told, suite, sessionId, auditor);
    await withoutKafka(told, suite, engineer);
  } finally {
    await engineer.close().catch(() => undefined);
  }
}

async function discover(told: Told, endpoint: string): Promise<void> {
  told.step("A client that knows only the URL is told where to log in");
  const response = await fetch(endpoint, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}",
  });
  const challenge = response.headers.get("www-authenticate") ?? "";
  told.saw(`HTTP ${response.status}, WWW-Authenticate:`, challenge);
  told.holds(response.status === 401, "without a token there is no access");
  const metadataUrl = /resource_metadata="([^"]+)"/.exec(challenge)?.[1] ?? "";
  const metadata = (await (await fetch(metadataUrl)).json()) as {
    resource: string;
    authorization_servers: string[];
  };
  told.saw("Protected resource metadata:", JSON.stringify(metadata));
  told.holds(metadata.resource === endpoint, "the metadata names exactly this endpoint");
}

async function logIn(told: Told, endpoint: string): Promise<ConnectedClient> {
  told.step("The client logs in: company identity provider, justification, just-in-time session");
  const engineer = await connectAs("engineer", endpoint, "OPS-1042: a customer asks about two charges");
  const { sub, sid, aud, exp } = claimsOf(engineer.token);
  told.saw(
    "Access token for:",
    `${sub}, session ${sid}, audience ${aud}, until ${new Date(exp * 1_000).toISOString()}`,
  );
  told.holds(aud === endpoint, "the token opens this endpoint and no other");
  const { tools } = await engineer.client.listTools();
  told.saw("Tools:", tools.map(({ name }) => name).join(", "));
  return engineer;
}

async function masked(told: Told, suite: Suite, engineer: ConnectedClient): Promise<void> {
  told.step("A query for customers: the row in the database, and what the client sees of it");
  const [raw] = await payments<{ pan: string; cvv: string }>(
    suite,
    "SELECT * FROM cards JOIN customers ON customers.id = cards.customer_id WHERE customers.id = 'cus_1001'",
  );
  told.saw("In the database:", JSON.stringify(raw));
  const { text } = await callTool(engineer, "query_customers", { search: "cus_1001" });
  told.saw("At the client:  ", text);
  told.holds(raw !== undefined && !text.includes(raw.pan), "the card number does not reach the client");
  told.holds(text.includes("411111******1111"), "first six and last four do");
  told.holds(!text.includes(`"${raw?.cvv}"`), "the card verification code does not, not even in part");
}

async function forbidden(told: Told, suite: Suite, engineer: ConnectedClient): Promise<void> {
  told.step("A tool that policy forbids");
  const before = await callsReceived(suite);
  const { text, failed } = await callTool(engineer, "delete_customer", { customer_id: "cus_1001" });
  told.saw("The client is told:", text);
  told.holds(failed && text.includes("forbidden by policy"), "the call is refused and the reason is said");
  told.holds((await callsReceived(suite)) === before, "the payments server received nothing");
}

/** Sells the trip once more: what one play refunded, the next one on the same data could not refund again. */
async function bookTrip(suite: Suite): Promise<string> {
  const id = `txn_${randomUUID().slice(0, 8)}`;
  await payments(
    suite,
    `INSERT INTO transactions SELECT $1, card_id, amount_cents, currency, merchant FROM transactions WHERE id = 'txn_2002'`,
    [id],
  );
  return id;
}

async function heldRefund(told: Told, suite: Suite, engineer: ConnectedClient): Promise<string> {
  told.step("A large refund waits for another person");
  const transaction = await bookTrip(suite);
  const refund = { transaction_id: transaction, amount_cents: 12_000, reason: "The trip was cancelled" };
  const refunded = async (): Promise<number> => {
    const rows = await payments(suite, "SELECT 1 FROM refunds WHERE transaction_id = $1", [transaction]);
    return rows.length;
  };
  const before = await refunded();
  const calling = callTool(engineer, "refund", refund);
  const ownToken = await apiTokenOf("engineer", suite.urls.identity);
  const leadToken = await apiTokenOf("lead", suite.urls.identity);
  const approval = await eventually(async () => {
    const { json } = await callApi(leadToken, `${suite.urls.approval}/approvals?status=pending`);
    return (json as ApprovalView[]).find(
      (asked) => asked.tool === "refund" && asked.arguments.includes(transaction),
    );
  }, "The approval request");
  told.saw("The approver sees:", `${approval.requester.id} asks for ${approval.tool} ${approval.arguments}`);
  told.saw("Justification:", approval.justification);
  told.holds((await refunded()) === before, "no refund was made yet");

  const decision = `${suite.urls.approval}/approvals/${approval.approvalId}/decision`;
  const own = await callApi(ownToken, decision, { decision: "approve" });
  told.saw(`The engineer approves it: HTTP ${own.status},`, own.text);
  told.holds(own.status === 403, "nobody approves their own call");
  const leads = await callApi(leadToken, decision, {
    decision: "approve",
    comment: "Checked with the customer",
  });
  told.saw(`The lead approves it: HTTP ${leads.status}`);
  told.holds(leads.status < 300, "a designated other person may");
  const { text, failed } = await calling;
  told.saw("The waiting client gets:", text);
  told.holds(!failed, "the held call ran");
  told.holds((await refunded()) === before + 1, "the refund is in the payments table exactly once");
  return approval.approvalId;
}

async function timeline(
  told: Told,
  suite: Suite,
  approvalId: string,
): Promise<{ sessionId: string; auditor: string }> {
  told.step("The auditor finds all of it");
  const auditor = await apiTokenOf("auditor", suite.urls.identity);
  const found = await eventually(async () => {
    const { json } = await callApi(auditor, `${suite.urls.audit}/records?type=CallReleased&limit=1000`);
    const { records } = json as { records: RecordView[] };
    return records.find(({ data }) => (data as { approvalId: string }).approvalId === approvalId);
  }, "The record of the approved call");
  const sessionId = found.subject;
  const records = await eventually(async () => {
    const { json } = await callApi(auditor, `${suite.urls.audit}/sessions/${sessionId}/timeline`);
    const all = (json as { records: RecordView[] }).records;
    const last = all.findLast(({ type }) => type === "CallCompleted");
    return last && (last.data as { approvalId?: string; target?: string }).target === "refund"
      ? all
      : undefined;
  }, "The record of the refund's outcome");
  for (const { logIndex, time, type, data } of records) told.saw(`#${logIndex} ${time} ${type}`, gist(data));
  const types = records.map(({ type }) => type);
  for (const type of [
    "SessionGranted",
    "CallIntended",
    "CallCompleted",
    "CallRefused",
    "CallHeld",
    "ApprovalGranted",
    "ApprovalAttemptRefused",
  ]) {
    told.holds(types.includes(type), `${type} is on the timeline`);
  }
  told.holds(!JSON.stringify(records).includes("4111111111111111"), "no record holds a card number");
  const refusedTo = await callApi(
    await apiTokenOf("engineer", suite.urls.identity),
    `${suite.urls.audit}/records`,
  );
  told.holds(refusedTo.status === 403, "the engineer may not read the evidence");
  return { sessionId, auditor };
}

async function siem(told: Told, suite: Suite, sessionId: string): Promise<void> {
  told.step("The same as SIEM events, read by a plain Kafka consumer from siem.ocsf");
  const ofSession = (events: readonly OcsfEvent[]) =>
    events.filter(({ metadata }) => metadata.correlation_uid === sessionId);
  const finished = (events: readonly OcsfEvent[]) =>
    ofSession(events).some(
      (event) => JSON.stringify(event).includes("CallCompleted") && JSON.stringify(event).includes("refund"),
    );
  const events = ofSession(await readSiem(suite.brokers, finished));
  for (const event of events.slice(-3)) told.saw(`class ${event.class_uid}`, JSON.stringify(event));
  told.holds(
    events.some(({ class_uid }) => class_uid === 6003),
    "calls are API Activity (6003)",
  );
  told.holds(
    events.some(({ class_uid }) => class_uid === 3003),
    "the session is Authorize Session (3003)",
  );
  told.holds(!JSON.stringify(events).includes("4111111111111111"), "no event holds a card number");
}

async function bundle(told: Told, suite: Suite, sessionId: string, auditor: string): Promise<void> {
  told.step("An exported bundle is verified offline; one flipped byte is found");
  const exported = await eventually(async () => {
    const answer = await callApi(auditor, `${suite.urls.audit}/export?session=${sessionId}`);
    return answer.status === 200 && answer.text.trim().split("\n").length > 5 ? answer.text : undefined;
  }, "The export");
  const file = join(suite.dataDir, "demo-evidence.ndjson");
  await writeFile(file, exported);
  const good = await verify(file);
  told.saw("countersign verify:", good.output);
  told.holds(good.exitCode === 0, "the bundle proves itself");
  const bytes = await readFile(file);
  const at = Math.floor(bytes.length / 2);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await writeFile(file.replace(".ndjson", "-flipped.ndjson"), bytes);
  const bad = await verify(file.replace(".ndjson", "-flipped.ndjson"));
  told.saw(`With byte ${at} flipped:`, bad.output);
  told.holds(bad.exitCode === 1, "the flipped byte is found");
}

async function withoutKafka(told: Told, suite: Suite, engineer: ConnectedClient): Promise<void> {
  told.step("No evidence, no access: Kafka is stopped");
  if (process.env["KAFKA_BROKERS"]) {
    told.saw("Skipped: KAFKA_BROKERS names a cluster that is not the demo's to stop.");
    return;
  }
  const before = await callsReceived(suite);
  await suite.kafka.stop();
  const startedAt = performance.now();
  const { text, failed } = await callTool(engineer, "query_customers", { search: "cus_1001" });
  told.saw(`After ${((performance.now() - startedAt) / 1_000).toFixed(1)} s the client is told:`, text);
  told.holds(
    failed && text.includes("Evidence cannot be written"),
    "the call is refused and the reason is said",
  );
  told.holds((await callsReceived(suite)) === before, "the payments server received nothing");
  await suite.kafka.start();
  const again = await eventually(async () => {
    const answer = await callTool(engineer, "query_customers", { search: "cus_1001" });
    return answer.failed ? undefined : answer.text;
  }, "Service after Kafka's return");
  told.saw("Kafka is back:", again);
  told.holds(again.includes("411111******1111"), "so is the service");
}

const claimsOf = (token: string): { sub: string; sid: string; aud: string; exp: number } =>
  JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());

const verify = (file: string): Promise<{ exitCode: number; output: string }> =>
  new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(repositoryRoot, "apps/cli/bin/countersign.js"), "verify", file],
      (error, stdout, stderr) => {
        const output = (stdout + stderr).trim().replaceAll("\n", " · ");
        resolve({ exitCode: error ? Number(error.code) : 0, output });
      },
    );
  });

/** One line's worth of a record. */
function gist(data: unknown): string {
  const { method, target, outcome, reason, by, response, justification } = data as {
    method?: string;
    target?: string;
    outcome?: string;
    reason?: string;
    by?: { id: string };
    response?: { findings: unknown[] };
    justification?: string;
  };
  return [
    method,
    target,
    outcome,
    reason,
    by && `by ${by.id}`,
    response && response.findings.length > 0 && `${response.findings.length} findings masked`,
    method === undefined && justification,
  ]
    .filter((part) => typeof part === "string")
    .join(" · ");
}
