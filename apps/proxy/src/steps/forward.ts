import type { Call } from "../call.js";
import type { Admitted, Received } from "../exchange.js";
import type { Gateway } from "../gateway.js";
import { Refusal } from "../refusal.js";
import { upstreamHeaders } from "../upstream/headers.js";
import { recordLog } from "./record-log.js";
import type { UpstreamAnswer } from "../upstream/upstream.js";

/** A request under way upstream. */
export interface Forwarded {
  readonly answer: UpstreamAnswer;
  /** To be called for each piece of the answer: it puts off the timeout. */
  readonly alive: () => void;
  /** Waits for something that is no fault of the upstream: its silence does not count meanwhile. */
  readonly excused: (wait: Promise<void>) => Promise<void>;
  /** Ends the request for a reason that is not the upstream's. */
  readonly stop: AbortSignal;
  readonly done: () => void;
}

/** The upstream's own session id, if this principal is the one who opened it. */
export function openMcpSession(received: Received, admitted: Admitted, gateway: Gateway): string | undefined {
  const bound = received.headers["mcp-session-id"];
  if (typeof bound !== "string") return undefined;
  const { endpoint, session } = admitted;
  const opened = gateway.mcpSessionIds.open(bound, endpoint.name, session.principal.id);
  if (opened !== undefined) return opened;
  throw new Refusal("session_unknown", "This MCP session is not yours or is gone; start a new one.", {
    httpStatus: 404,
  });
}

/**
 * Sends a request on. `stop` ends it, and silence for the endpoint's timeout does too; one that listens may meet
 * silence for as long as it likes once it is answered.
 */
export async function forward(
  gateway: Gateway,
  call: Call,
  options: { stop: AbortSignal; listens: boolean },
): Promise<Forwarded> {
  const { received, admitted, upstreamSessionId, body } = call;
  const { upstream } = admitted.endpoint;
  const silence = new AbortController();
  const timeoutMs = upstream.timeoutSeconds * 1_000;
  const listenTo = (): NodeJS.Timeout =>
    setTimeout(() => silence.abort("the upstream was silent for too long"), timeoutMs);
  let timer: NodeJS.Timeout | undefined = listenTo();
  const done = (): void => {
    clearTimeout(timer);
    timer = undefined;
  };
  try {
    const answer = await gateway.upstream.send(admitted.endpoint, {
      httpMethod: received.httpMethod,
      headers: upstreamHeaders(received.headers, upstream, upstreamSessionId),
      ...(body === undefined ? {} : { body }),
      listens: options.listens,
      logged: (text) => {
        recordLog(gateway, call, text).catch((error: unknown) => {
          gateway.log.error({ error, callId: call.records.callId }, "a program's log could not be recorded");
        });
      },
      signal: AbortSignal.any([options.stop, silence.signal]),
      session: { id: admitted.session.sessionId, ended: admitted.ended },
    });
    if (options.listens) done();
    const excused = async (wait: Promise<void>): Promise<void> => {
      const counts = timer !== undefined;
      done();
      await wait;
      if (counts) timer = listenTo();
    };
    return { answer, alive: () => void timer?.refresh(), excused, stop: options.stop, done };
  } catch (error) {
    done();
    throw error;
  }
}
