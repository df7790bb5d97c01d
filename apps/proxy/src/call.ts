import type { CallRecords } from "./evidence/call-records.js";
import type { Scanned } from "./evidence/payloads.js";
import type { Admitted, Message, Received } from "./exchange.js";
import type { Reply } from "./reply.js";
import type { Decision } from "./steps/decide.js";

/** A message with what policy decided and where its records are made. */
export interface Member {
  readonly message: Message;
  readonly decision: Decision;
  readonly records: CallRecords;
}

/** A request on its way: one message, the several of a batch, or none where a client listens or leaves. */
export interface Call {
  readonly received: Received;
  readonly admitted: Admitted;
  /** What the record keeps of the headers that go on. */
  readonly headers: Scanned | undefined;
  readonly reply: Reply;
  readonly upstreamSessionId: string | undefined;
  readonly startedAt: number;
  readonly members: readonly Member[];
  /** The first member's, or those of listening and leaving: what belongs to no call of its own is recorded here. */
  readonly records: CallRecords;
  readonly body?: Uint8Array;
}
