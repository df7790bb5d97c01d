import { CallRecords } from "../evidence/call-records.js";
import type { Call } from "../call.js";
import { type Admitted, eraOf, type Message, type Received } from "../exchange.js";
import type { Gateway } from "../gateway.js";
import { Refusal } from "../refusal.js";
import type { Reply } from "../reply.js";
import { checkHeaders } from "./check-headers.js";
import { decide, type Decision } from "./decide.js";
import { openMcpSession } from "./forward.js";
import { guardContent } from "./guard-content.js";
import { guardHeaders } from "./guard-headers.js";
import { targetOf } from "./parse-message.js";
import { readMessages } from "./read-messages.js";
import type { Trail } from "./refuse.js";

/** Reads an admitted request and decides each of its messages. Throws the refusal of the first that may not go on. */
export async function readCall(
  gateway: Gateway,
  received: Received,
  admitted: Admitted,
  reply: Reply,
  trail: Trail,
  newCallId: () => string,
): Promise<Call> {
  const startedAt = performance.now();
  const upstreamSessionId = openMcpSession(received, admitted, gateway);
  const shared = { received, admitted, reply, upstreamSessionId, startedAt };
  const recordsOf = (callId: string, method: string, target: string | undefined): CallRecords =>
    new CallRecords(
      {
        callId,
        session: admitted.session,
        clientAddress: received.clientAddress,
        era: eraOf(received.headers),
        method,
        target,
      },
      { ...gateway, scanner: admitted.scanner },
    );
  if (received.httpMethod !== "POST") {
    return {
      ...shared,
      ...guardHeaders(received, admitted),
      members: [],
      records: recordsOf(trail.callId, `http/${received.httpMethod}`, undefined),
    };
  }
  const posted = await readMessages(received, admitted.endpoint.messageBytesMax, admitted.scanner, trail);
  for (const message of posted.messages) count(gateway, message, admitted);
  if (posted.messages.length === 1) checkHeaders(received.headers, posted.messages[0].rpc);
  // What goes on from here is what is decided, approved and forwarded.
  const { messages, ...forwarded } = guardContent(posted, received, admitted);
  const members = messages.map((message, index) => {
    const { rpc } = message;
    const decision = decideMember(admitted, message, messages.length, gateway.clock.now());
    const callId = index === 0 ? trail.callId : newCallId();
    const method = rpc.kind === "response" ? "response" : rpc.method;
    return { message, decision, records: recordsOf(callId, method, targetOf(rpc)) };
  });
  const [{ records }] = members as [(typeof members)[number]];
  return { ...shared, ...forwarded, members, records };
}

/** A batch goes on whole or not at all, so nothing in it may have to wait for a person. */
function decideMember(admitted: Admitted, { rpc }: Message, messages: number, now: Date): Decision {
  const decision = decide(admitted, rpc, now);
  if (messages === 1 || decision.effect === "allow") return decision;
  throw new Refusal(
    "forbidden_by_policy",
    "A call in this batch needs an approval, so nothing of the batch was forwarded; send that call alone.",
    { policies: decision.policies },
  );
}

function count({ metrics }: Gateway, { scanned }: Message, { endpoint }: Admitted): void {
  for (const { kind } of scanned.findings) metrics.findings.inc({ endpoint: endpoint.name, kind });
}
