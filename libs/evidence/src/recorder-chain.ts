import {
  CountersignError,
  recorder as recorderSchema,
  type EventMessage,
  type Recorder,
} from "@countersign/contracts";
import { ZERO_HASH } from "./hashes.js";
import { leafHashHex } from "./leaf.js";

/** The newest record of one recorder's epoch; undefined where none was seen. Keep one per epoch. */
export interface ChainState {
  readonly recorderId: string;
  readonly epoch: string;
  readonly seq: number;
  /** Leaf hash of that record: what the next one must have as its `prevHash`. */
  readonly hash: string;
  /** The recorder said that the epoch has no further record. */
  readonly stopped: boolean;
}

export interface ChainGap {
  readonly expectedSeq: number;
  readonly foundSeq: number;
  readonly reason: "missing" | "hash_mismatch";
}

export interface ChainStep {
  readonly state: ChainState | undefined;
  readonly gap?: ChainGap;
}

/** The recorder's numbering of `event`, or undefined for an event that no recorder numbers. */
export function recorderOf(event: EventMessage): Recorder | undefined {
  const { data } = event;
  if (typeof data !== "object" || data === null || !("recorder" in data)) return undefined;
  const parsed = recorderSchema.safeParse(data.recorder);
  if (!parsed.success) {
    throw new CountersignError(
      "recorder_malformed",
      `The recorder of ${event.type} ${event.id} does not follow its contract. Quarantine the record.`,
    );
  }
  return parsed.data;
}

/**
 * Takes up the next record and says whether one before it vanished or was changed. `state` is that of the record's
 * own epoch; a record of another epoch begins anew, and an event that no recorder numbers changes nothing. After a
 * gap the chain goes on from the record that was found, so that one hole is told once. `hash` saves hashing the
 * record twice where the caller has its leaf hash.
 */
export function nextChainState(
  state: ChainState | undefined,
  event: EventMessage,
  hash: string = leafHashHex(event),
): ChainStep {
  const recorder = recorderOf(event);
  if (recorder === undefined) return { state };

  const head = state?.epoch === recorder.epoch && state.recorderId === recorder.id ? state : undefined;
  const expectedSeq = head === undefined ? 0 : head.seq + 1;
  const gap = gapBefore(event, recorder, head, expectedSeq);
  const goesBack = recorder.seq < expectedSeq;
  const next: ChainState =
    goesBack && head !== undefined
      ? head
      : {
          recorderId: recorder.id,
          epoch: recorder.epoch,
          seq: recorder.seq,
          hash,
          stopped: event.type === "RecorderStopped",
        };
  return gap === undefined ? { state: next } : { state: next, gap };
}

function gapBefore(
  event: EventMessage,
  recorder: Recorder,
  head: ChainState | undefined,
  expectedSeq: number,
): ChainGap | undefined {
  const place = { expectedSeq, foundSeq: recorder.seq };
  if (recorder.seq > expectedSeq) return { ...place, reason: "missing" };
  const follows =
    recorder.seq === expectedSeq &&
    recorder.prevHash === (head?.hash ?? ZERO_HASH) &&
    head?.stopped !== true &&
    (event.type === "RecorderStarted") === (recorder.seq === 0);
  return follows ? undefined : { ...place, reason: "hash_mismatch" };
}
