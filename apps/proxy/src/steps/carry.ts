import { LogUnavailable } from "@countersign/service-kit";
import { ownIdsIn } from "../answers/own-ids.js";
import { beginning } from "../answers/beginning.js";
import { formOf } from "../answers/media-type.js";
import { AnswerRefused, type Reader } from "../answers/read-answer.js";
import { keptOf } from "../evidence/withhold.js";
import type { Call } from "../call.js";
import { eraOf } from "../exchange.js";
import type { Gateway } from "../gateway.js";
import { Outstanding } from "../outstanding.js";
import { UpstreamFailed } from "../upstream/upstream-failed.js";
import { answerHeaders } from "./answer-headers.js";
import { forward, type Forwarded } from "./forward.js";
import { relayStream } from "./relay-stream.js";
import { relayWhole } from "./relay-whole.js";
import { tell } from "./tell.js";

/** Forwards a recorded request and relays its answer, and sees to it that each of its calls has exactly one outcome. */
export async function carry(
  gateway: Gateway,
  call: Call,
  stopping: { readonly streams: AbortSignal; readonly calls: AbortSignal },
): Promise<void> {
  const { received, admitted, reply, startedAt } = call;
  const listens = isListening(call);
  // To leave is to cancel in the modern era, and on a stream of its own in any; a legacy call goes on without its client.
  const leaves = listens || eraOf(received.headers) === "modern";
  const ends = [admitted.ended, listens ? stopping.streams : stopping.calls];
  const stop = AbortSignal.any(leaves ? [...ends, reply.left] : ends);
  const outstanding = new Outstanding(call);
  let forwarded: Forwarded | undefined;
  try {
    forwarded = await forward(gateway, call, { stop, listens });
    await relay(gateway, call, forwarded, outstanding);
  } catch (error) {
    if (error instanceof LogUnavailable) withhold(gateway, call, outstanding);
    else await fail(gateway, call, outstanding, error, stop);
  } finally {
    forwarded?.done();
    gateway.metrics.latency.observe(
      { endpoint: admitted.endpoint.name },
      (performance.now() - startedAt) / 1_000,
    );
  }
}

/** A request whose stream stays open for what may happen. */
export const isListening = ({ received, members }: Pick<Call, "received" | "members">): boolean =>
  received.httpMethod === "GET" ||
  members.some(({ message: { rpc } }) => rpc.kind === "request" && rpc.method === "subscriptions/listen");

async function relay(
  gateway: Gateway,
  call: Call,
  forwarded: Forwarded,
  outstanding: Outstanding,
): Promise<void> {
  const { status, headers: received, body } = forwarded.answer;
  if (status === 401 || status === 403) {
    throw new AnswerRefused(
      "the upstream refused the gateway's credential; an administrator has to renew it",
    );
  }
  const headers = answerHeaders(gateway, call, received);
  const reader = readerFor(gateway, call);
  const form = formOf(received["content-type"]);
  const opened =
    status === 200 && form === "json" ? await beginning(body) : { body, isStream: form === "stream" };
  const under = { ...forwarded, answer: { ...forwarded.answer, body: opened.body } };
  if (status !== 200 || !opened.isStream) {
    await relayWhole(gateway, call, under, outstanding, reader, headers);
    return;
  }
  await relayStream(gateway, call, under, outstanding, reader, headers);
  const isOwn = call.members.length === 0;
  const detail = isOwn ? "the stream ended" : "the stream ended before the answer; it may be resumed";
  const drafts = outstanding
    .takeAll()
    .map((records) => records.completed(isOwn ? "result" : "unknown", { detail }));
  if (drafts.length > 0) await gateway.recorder.record(drafts);
  call.reply.end();
}

/** Reads answers for this principal: what policy would deny, whatever the arguments, is not shown. */
function readerFor({ policy, clock, config, tools }: Gateway, { admitted, members }: Call): Reader {
  const { session, endpoint, engine, scanner } = admitted;
  const { principal, client } = session;
  return {
    scanner,
    own: ownIdsIn(members.map(({ message }) => message)),
    mayCall: (operation) =>
      (policy.engine ?? engine).couldAllow(
        { action: "call", principal, client, endpoint: endpoint.name, operation },
        clock.now(),
      ),
    lookAt: (tool) => (config.PIN_TOOLS ? tools.look(endpoint.name, tool) : { holds: true }),
  };
}

function withhold(gateway: Gateway, call: Call, outstanding: Outstanding): void {
  const detail = "The call was made, but its outcome could not be recorded, so its answer is withheld.";
  const drafts = outstanding.takeAll().map((records) => records.completed("unknown", { detail }));
  gateway.recorder.recordEventually(...drafts);
  tell(call, detail);
}

/** The request went upstream, or tried to, and something broke: the outcome says what, and nothing unmasked goes down. */
async function fail(
  gateway: Gateway,
  call: Call,
  outstanding: Outstanding,
  error: unknown,
  stop: AbortSignal,
): Promise<void> {
  const failed = error instanceof UpstreamFailed && !stop.aborted ? error : undefined;
  const detail = stop.aborted ? `The call was stopped: ${String(stop.reason)}.` : reasonOf(error);
  if (!stop.aborted) gateway.log.warn({ error, callId: call.records.callId }, "an upstream call failed");
  const scanned = error instanceof AnswerRefused ? error.scanned : undefined;
  const kept = scanned
    ? await call.records.keep(keptOf(scanned, call.admitted.scanner.opaque), "server_to_client")
    : undefined;
  const outcome = failed?.sent === false ? "not_forwarded" : "upstream_failed";
  const { ids } = outstanding;
  const drafts = outstanding.takeAll().map((records) =>
    records.completed(stop.aborted ? "cancelled" : outcome, {
      detail,
      ...(kept ? { response: kept.payload } : {}),
    }),
  );
  if (drafts.length > 0) {
    await gateway.recorder
      .record(drafts, kept?.alongside)
      .then(() => kept?.stored())
      .catch(() => gateway.recorder.recordEventually(...drafts));
  }
  tell(call, detail, failed?.code, ids);
  if (stop.aborted) call.reply.cutLate();
}

function reasonOf(error: unknown): string {
  if (error instanceof AnswerRefused) return `The upstream's answer cannot be passed on: ${error.message}.`;
  if (error instanceof UpstreamFailed) return error.message;
  return "The upstream MCP server could not be reached or broke off; try again later.";
}
