import type { RecorderGapDetected } from "@countersign/contracts";
import { type ChainState, nextChainState } from "@countersign/evidence";
import type { LogRecord } from "./log-record.js";

export interface GapFound {
  /** The record that shows the gap. */
  readonly eventId: string;
  readonly gap: RecorderGapDetected;
}

/**
 * Follows the recorders' own numbering through new records. Answers the heads after them and every hole or broken link
 * on the way. `heads` is by `keyOf`.
 */
export function followRecorders(
  heads: ReadonlyMap<string, ChainState>,
  records: readonly LogRecord[],
  keyOf: (recorder: { id: string; epoch: string }) => string,
): { heads: Map<string, ChainState>; gaps: GapFound[] } {
  const after = new Map<string, ChainState>();
  const gaps: GapFound[] = [];
  for (const { event, recorder, leafHash } of records) {
    if (!recorder) continue;
    const key = keyOf(recorder);
    const hash = Buffer.from(leafHash).toString("hex");
    const { state, gap } = nextChainState(after.get(key) ?? heads.get(key), event, hash);
    if (state) after.set(key, state);
    if (gap) {
      gaps.push({ eventId: event.id, gap: { recorderId: recorder.id, epoch: recorder.epoch, ...gap } });
    }
  }
  return { heads: after, gaps };
}
