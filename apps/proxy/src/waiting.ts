import { createHmac } from "node:crypto";
import type { HeldCallCancelled } from "@countersign/contracts";
import type { JsonRpcMessage, RpcId } from "./steps/parse-message.js";

/** Why held calls end when their proxy does: the client may go on waiting at another one. */
export const stoppingReason = "the gateway is stopping";

/** The calls of this process that wait for an approval, so that their clients can cancel them. */
export class Waiting {
  readonly #calls = new Map<string, AbortController>();

  add(waiting: HeldCallCancelled): { cancelled: AbortSignal; done: () => void } {
    const key = keyOf(waiting);
    const controller = new AbortController();
    this.#calls.set(key, controller);
    return {
      cancelled: controller.signal,
      done: () => {
        if (this.#calls.get(key) === controller) this.#calls.delete(key);
      },
    };
  }

  /** Ends the wait of the call that was cancelled; false where it does not wait here. */
  cancel(cancelled: HeldCallCancelled): boolean {
    const waiting = this.#calls.get(keyOf(cancelled));
    waiting?.abort("its client cancelled it");
    return waiting !== undefined;
  }

  stop(): void {
    for (const waiting of this.#calls.values()) waiting.abort(stoppingReason);
  }
}

const keyOf = ({ sessionId, requestIdDigest }: HeldCallCancelled): string =>
  `${sessionId}/${requestIdDigest}`;

/**
 * Names a client's request to all proxies. Its id is a text of the client's own choice, so it is digested; keyed, because
 * a plain hash of a short text could be searched for.
 */
export function requestNamed(key: Uint8Array, sessionId: string, id: RpcId): HeldCallCancelled {
  const text = JSON.stringify(["request id v1", sessionId, id]);
  return { sessionId, requestIdDigest: createHmac("sha256", key).update(text).digest("hex") };
}

/** The id of the request that this message cancels. */
export function cancelledId(rpc: JsonRpcMessage): RpcId | undefined {
  if (rpc.kind !== "notification" || rpc.method !== "notifications/cancelled") return undefined;
  const { requestId } = (rpc.params ?? {}) as { requestId?: unknown };
  return typeof requestId === "string" || typeof requestId === "number" ? requestId : undefined;
}
