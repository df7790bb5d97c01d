import type { CallOutcome } from "@countersign/contracts";
import { LogUnavailable } from "@countersign/service-kit";
import { CallRecords, type Kept } from "./evidence/call-records.js";
import { reached } from "./evidence/moments.js";
import type { Draft } from "./evidence/recorder.js";
import { type Admitted, eraOf, type Message, type Received } from "./exchange.js";
import type { Gateway } from "./gateway.js";
import { type RpcId, targetOf } from "./steps/parse-message.js";
import type { Reply } from "./reply.js";
import { admit } from "./steps/admit.js";
import { decide, type Decision } from "./steps/decide.js";
import { forward, type Forwarded, openMcpSession } from "./steps/forward.js";
import { hold, type HoldEnd } from "./steps/hold.js";
import { readMessage } from "./steps/read-message.js";
import { refuse, type Trail } from "./steps/refuse.js";
import { relayStream } from "./steps/relay-stream.js";
import { AnswerRefused, relayWhole } from "./steps/relay-whole.js";
import { UpstreamFailed } from "./upstream/upstream-failed.js";

interface Call {
  readonly received: Received;
  readonly admitted: Admitted;
  readonly records: CallRecords;
  readonly reply: Reply;
  readonly upstreamSessionId: string | undefined;
  readonly startedAt: number;
  /** The JSON-RPC id to answer to; undefined for GET, DELETE, notifications and responses. */
  readonly id: RpcId | undefined;
  readonly body?: Uint8Array;
}

/**
 * The path of every request through the gateway. Until the intent is on the log any failure is a refusal, and nothing
 * was forwarded. After it, the call ends in an outcome that is on the log before the client sees the answer.
 */
export class Pipeline {
  /** Calls that wait for an approval, by session and JSON-RPC id, so that their client can cancel them. */
  readonly #waiting = new Map<string, AbortController>();
  readonly #underWay = new Set<Promise<void>>();
  readonly #stopping = { streams: new AbortController(), calls: new AbortController() };

  constructor(private readonly gateway: Gateway) {}

  handle(received: Received, reply: Reply): Promise<void> {
    const callId = this.gateway.clock.newId();
    this.gateway.recovery.began(callId);
    const handling = this.#handle(callId, received, reply);
    this.#underWay.add(handling);
    return handling.finally(() => {
      this.gateway.recovery.finished(callId);
      this.#underWay.delete(handling);
    });
  }

  /** Ends what waits and what only listens, gives calls a moment to end by themselves, then ends them too. */
  async stop(): Promise<void> {
    for (const waiting of this.#waiting.values()) waiting.abort("the gateway is stopping");
    this.#stopping.streams.abort("the gateway is stopping");
    await this.#settled();
    this.#stopping.calls.abort("the gateway is stopping");
    await this.#settled();
  }

  async #settled(): Promise<void> {
    const late = new Promise((resolve) => setTimeout(resolve, stopStepMs).unref());
    await Promise.race([Promise.allSettled(this.#underWay), late]);
  }

  async #handle(callId: string, received: Received, reply: Reply): Promise<void> {
    const { gateway } = this;
    const startedAt = performance.now();
    const trail: Trail = { callId };
    let call: Call | undefined;
    try {
      const admitted = await admit(received, gateway);
      trail.session = admitted.session;
      trail.bundleVersion = admitted.engine.version;
      const upstreamSessionId = openMcpSession(received, admitted, gateway);
      const shared = { received, admitted, reply, upstreamSessionId, startedAt };
      if (received.httpMethod === "POST") {
        const message = await readMessage(
          received,
          admitted.endpoint.messageBytesMax,
          gateway.scanner,
          (scanned) => {
            trail.scanned = scanned;
          },
        );
        trail.rpc = message.rpc;
        this.#count(message, admitted);
        const decision = decide(admitted, message.rpc, gateway.clock.now());
        const method = message.rpc.kind === "response" ? "response" : message.rpc.method;
        const records = this.#records(callId, received, admitted, method, targetOf(message.rpc));
        const id = message.rpc.kind === "request" ? message.rpc.id : undefined;
        const posted = { ...shared, records, id, body: message.bytes };
        if (await this.#record(posted, message, decision)) call = posted;
      } else {
        const records = this.#records(callId, received, admitted, `http/${received.httpMethod}`, undefined);
        await gateway.recorder.record([
          records.intended(emptyPayload, {
            effect: "allow",
            policies: [],
            bundleVersion: admitted.engine.version,
          }),
        ]);
        call = { ...shared, records, id: undefined };
      }
    } catch (error) {
      await refuse(gateway, received, trail, error, reply);
      return;
    }
    if (call) await this.#finish(call);
  }

  /** Records a posted message and waits for its approval where one is needed. Answers whether it is to be forwarded. */
  async #record(call: Call, message: Message, decision: Decision): Promise<boolean> {
    const { gateway } = this;
    const { records } = call;
    const kept = await records.keep(message.scanned, "client_to_server");
    if (message.rpc.kind !== "request") {
      await gateway.recorder.record(
        [records.message("client_to_server", message.rpc.kind, kept.payload)],
        kept.alongside,
      );
      kept.stored();
      return !this.#cancelsWaiting(call, message);
    }
    if (decision.effect === "hold") return this.#hold(call, message, decision, kept);
    await gateway.recorder.record([records.intended(kept.payload, decision)], kept.alongside);
    kept.stored();
    reached("intent recorded");
    return true;
  }

  async #hold(call: Call, message: Message, decision: Decision, kept: Kept): Promise<boolean> {
    const { admitted, records, reply } = call;
    const cancel = new AbortController();
    const key = waitingKey(admitted.session.sessionId, call.id);
    this.#waiting.set(key, cancel);
    let end: HoldEnd;
    try {
      end = await hold(this.gateway, { admitted, message, records, kept, decision, reply }, cancel.signal);
    } finally {
      this.#waiting.delete(key);
    }
    const { approvalId, verdict } = end;
    try {
      if (verdict !== "left" && verdict.verdict === "granted") {
        // Policy may have changed while a person thought.
        const engine = this.gateway.policy.engine ?? admitted.engine;
        decide({ ...admitted, engine }, message.rpc, this.gateway.clock.now());
        await this.gateway.recorder.record([records.released(approvalId, verdict.requestDigest, verdict.by)]);
        reached("release recorded");
        return true;
      }
    } catch (error) {
      // The intent is on the log, so this ends in an outcome and not in a refusal.
      const detail = error instanceof LogUnavailable ? error.message : "policy no longer permits the call";
      await this.#end(call, records.completed("not_forwarded", { approvalId, detail }), detail);
      return false;
    }
    const [outcome, text] = unapproved(verdict, admitted.ended);
    const draft = records.completed(outcome, { approvalId, detail: this.gateway.scanner.mask(text) });
    await this.#end(call, draft, text, outcome !== "cancelled");
    return false;
  }

  /** Forwards a recorded call and sees to it that it ends in exactly one outcome. */
  async #finish(call: Call): Promise<void> {
    const { gateway } = this;
    const { received, admitted, records, reply, id, startedAt } = call;
    const modern = eraOf(received.headers) === "modern";
    const leaves = modern || received.httpMethod === "GET";
    const { streams, calls } = this.#stopping;
    const stop = AbortSignal.any(
      leaves ? [admitted.ended, reply.left, streams.signal] : [admitted.ended, calls.signal],
    );
    const isCall = id !== undefined || received.httpMethod !== "POST";
    let forwarded: Forwarded | undefined;
    try {
      forwarded = await forward(gateway, received, admitted, {
        upstreamSessionId: call.upstreamSessionId,
        ...(call.body === undefined ? {} : { body: call.body }),
        stop,
        patient: received.httpMethod === "GET",
      });
      await this.#relay(call, forwarded, isCall);
    } catch (error) {
      if (error instanceof LogUnavailable) {
        const text = "The call was made, but its outcome could not be recorded, so its answer is withheld.";
        const draft = records.completed("unknown", { detail: text });
        if (isCall) gateway.recorder.recordEventually(draft);
        this.#tell(call, text);
        return;
      }
      await this.#fail(call, error, stop, isCall);
    } finally {
      forwarded?.done();
      gateway.metrics.latency.observe(
        { endpoint: admitted.endpoint.name },
        (performance.now() - startedAt) / 1_000,
      );
    }
  }

  async #relay(call: Call, forwarded: Forwarded, isCall: boolean): Promise<void> {
    const { gateway } = this;
    const { admitted, records, reply, id, startedAt } = call;
    const { answer } = forwarded;
    if (answer.status === 401 || answer.status === 403) {
      throw new AnswerRefused(
        "the upstream refused the gateway's credential; an administrator has to renew it",
      );
    }
    const bytesMax = admitted.endpoint.messageBytesMax;
    const headers = this.#answerHeaders(call, forwarded);
    if (answer.status === 200 && answer.headers["content-type"]?.startsWith("text/event-stream")) {
      const answered = await relayStream(gateway, forwarded, {
        records,
        reply,
        bytesMax,
        headers,
        id,
        startedAt,
      });
      if (isCall && !answered) {
        const outcome = id === undefined ? "result" : "unknown";
        const detail =
          id === undefined ? "the stream ended" : "the stream ended before the answer; it may be resumed";
        await gateway.recorder.record([records.completed(outcome, { detail })]);
      }
      reply.end();
      return;
    }
    await relayWhole(gateway, forwarded, {
      records,
      reply,
      bytesMax,
      headers,
      record: (outcome, httpStatus, kept) => {
        if (!isCall) return records.message("server_to_client", "response", kept.payload);
        const latencyMs = Math.round(performance.now() - startedAt);
        gateway.metrics.calls.inc({ endpoint: admitted.endpoint.name, outcome });
        return records.completed(outcome, { response: kept.payload, httpStatus, latencyMs });
      },
    });
  }

  /** The call went upstream, or tried to, and something broke: the outcome says what, and nothing unmasked goes down. */
  async #fail(call: Call, error: unknown, stop: AbortSignal, isCall: boolean): Promise<void> {
    const { gateway } = this;
    const cancelled = stop.aborted;
    const text = cancelled
      ? `The call was stopped: ${String(stop.reason)}.`
      : error instanceof AnswerRefused
        ? `The upstream's answer cannot be passed on: ${error.message}.`
        : error instanceof UpstreamFailed
          ? error.message
          : "The upstream MCP server could not be reached or broke off; try again later.";
    if (!cancelled) gateway.log.warn({ error, callId: call.records.callId }, "an upstream call failed");
    const scanned = error instanceof AnswerRefused ? error.scanned : undefined;
    const kept = scanned ? await call.records.keep(scanned, "server_to_client") : undefined;
    const more = { detail: text, ...(kept ? { response: kept.payload } : {}) };
    const failed = error instanceof UpstreamFailed ? error : undefined;
    const outcome = failed?.sent === false ? "not_forwarded" : "upstream_failed";
    const draft = call.records.completed(cancelled ? "cancelled" : outcome, more);
    if (isCall) {
      await gateway.recorder
        .record([draft], kept?.alongside)
        .catch(() => gateway.recorder.recordEventually(draft));
    }
    this.#tell(call, text, cancelled ? undefined : failed?.code);
  }

  /** Records how a call ended without an upstream, then tells the client; a tool's caller reads it as a tool error. */
  async #end(call: Call, draft: Draft, text: string, asToolError = false): Promise<void> {
    await this.gateway.recorder.record([draft]).catch(() => this.gateway.recorder.recordEventually(draft));
    if (asToolError && call.id !== undefined) {
      const result = { content: [{ type: "text", text }], isError: true };
      call.reply.json(200, { jsonrpc: "2.0", id: call.id, result });
    } else this.#tell(call, text);
  }

  #tell({ reply, id, records }: Call, message: string, code = "call_failed"): void {
    if (id === undefined && reply.streaming) {
      reply.end();
      return;
    }
    const error = { code: -32001, message, data: { code, callId: records.callId } };
    reply.json(id === undefined ? 502 : 200, { jsonrpc: "2.0", id: id ?? null, error });
  }

  #cancelsWaiting(call: Call, { rpc }: Message): boolean {
    if (rpc.kind !== "notification" || rpc.method !== "notifications/cancelled") return false;
    const { requestId } = (rpc.params ?? {}) as { requestId?: RpcId };
    const waiting = this.#waiting.get(waitingKey(call.admitted.session.sessionId, requestId));
    if (!waiting) return false;
    waiting.abort("its client cancelled it");
    call.reply.send(202, undefined, "");
    return true;
  }

  #records(
    callId: string,
    received: Received,
    { session }: Admitted,
    method: string,
    target: string | undefined,
  ): CallRecords {
    const { scanner, sealer, clock } = this.gateway;
    const about = {
      callId,
      session,
      clientAddress: received.clientAddress,
      era: eraOf(received.headers),
      method,
      target,
    };
    return new CallRecords(about, { scanner, sealer, clock });
  }

  #answerHeaders(call: Call, { answer }: Forwarded): Record<string, string> {
    const { endpoint, session } = call.admitted;
    const upstreamId = answer.headers["mcp-session-id"];
    const headers: Record<string, string> = {};
    if (typeof upstreamId === "string") {
      headers["mcp-session-id"] = this.gateway.mcpSessionIds.bind(
        upstreamId,
        endpoint.name,
        session.principal.id,
      );
    }
    for (const name of ["retry-after", "allow"]) {
      const value = answer.headers[name];
      if (typeof value === "string") headers[name] = value;
    }
    return headers;
  }

  #count({ scanned }: Message, { endpoint }: Admitted): void {
    for (const { kind } of scanned.findings)
      this.gateway.metrics.findings.inc({ endpoint: endpoint.name, kind });
  }
}

const stopStepMs = 3_000;

const emptyPayload = {
  text: "",
  sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  bytes: 0,
  contentType: "",
  findings: [],
};

const waitingKey = (sessionId: string, id: RpcId | undefined): string => JSON.stringify([sessionId, id]);

function unapproved(verdict: HoldEnd["verdict"], ended: AbortSignal): [CallOutcome, string] {
  if (verdict === "left") {
    return ended.aborted
      ? ["cancelled", `The session ended (${String(ended.reason)}) before the call was approved.`]
      : ["cancelled", "The client stopped waiting for the approval."];
  }
  switch (verdict.verdict) {
    case "denied":
      return [
        "denied",
        `${verdict.byName} denied this call${verdict.comment ? `: ${verdict.comment}` : "."}`,
      ];
    case "expired":
      return ["approval_expired", "Nobody approved this call in time; it was not made. Ask for it again."];
    case "granted":
      return ["not_forwarded", "The call was approved but could not be made."];
  }
}
