import type { Call } from "../call.js";
import { rpcCodes } from "../refusal.js";
import type { RpcId } from "./parse-message.js";

/** Tells the client that its calls end here, and why; on a stream of its own there is nobody to tell, so it ends. */
export function tell(call: Call, message: string, code = "call_failed", ids = idsOf(call)): void {
  const { reply, records } = call;
  if (ids.length === 0 && reply.streaming) {
    reply.end();
    return;
  }
  const error = { code: rpcCodes.refused, message, data: { code, callId: records.callId } };
  const answers = (ids.length === 0 ? [null] : ids).map((id) => ({ jsonrpc: "2.0", id, error }));
  reply.json(ids.length === 0 ? 502 : 200, answers.length === 1 ? answers[0] : answers);
}

const idsOf = ({ members }: Call): RpcId[] =>
  members.flatMap(({ message: { rpc } }) => (rpc.kind === "request" ? [rpc.id] : []));
