import type { CallRecords } from "./evidence/call-records.js";
import type { Call } from "./call.js";
import type { JsonRpcMessage, RpcId } from "./steps/parse-message.js";

/** The calls of one request that have an intent and no outcome yet, by the id that their answer will name. */
export class Outstanding {
  readonly #calls = new Map<RpcId | undefined, CallRecords>();

  constructor({ members, records }: Call) {
    for (const { message, records } of members) {
      if (message.rpc.kind === "request") this.#calls.set(message.rpc.id, records);
    }
    // To listen and to leave are calls without an id; they end with their stream.
    if (members.length === 0) this.#calls.set(undefined, records);
  }

  get size(): number {
    return this.#calls.size;
  }

  /** The ids that still wait for an answer. */
  get ids(): RpcId[] {
    return [...this.#calls.keys()].filter((id) => id !== undefined);
  }

  /** Whether this message answers one of them. */
  expects(message: JsonRpcMessage | undefined): boolean {
    return message?.kind === "response" && this.#calls.has(message.id);
  }

  /** The call that this answer ends; it is not outstanding any more. */
  take(id: RpcId): CallRecords | undefined {
    const records = this.#calls.get(id);
    this.#calls.delete(id);
    return records;
  }

  takeAll(): CallRecords[] {
    const all = [...this.#calls.values()];
    this.#calls.clear();
    return all;
  }
}
