import type { EventMessage } from "@countersign/contracts";
import { describe, expect, it } from "vitest";
import { ZERO_HASH } from "./hashes.js";
import { leafHashHex } from "./leaf.js";
import { type ChainGap, type ChainState, nextChainState } from "./recorder-chain.js";
import { record, uuid } from "./records.fixture.js";

const numbered = (seq: number, prevHash: string, type = "CallIntended", epoch = uuid(800)): EventMessage =>
  record(seq, type, { recorder: { id: "proxy-1", epoch, seq, prevHash } });

const chainOf = (length: number, epoch = uuid(800)): EventMessage[] => {
  const events = [numbered(0, ZERO_HASH, "RecorderStarted", epoch)];
  for (let seq = 1; seq < length; seq += 1) {
    events.push(numbered(seq, leafHashHex(events[seq - 1]!), "CallIntended", epoch));
  }
  return events;
};

function gapsIn(events: readonly EventMessage[]): ChainGap[] {
  const gaps: ChainGap[] = [];
  let state: ChainState | undefined;
  for (const event of events) {
    const step = nextChainState(state, event);
    state = step.state;
    if (step.gap !== undefined) gaps.push(step.gap);
  }
  return gaps;
}

describe("the recorder's chain", () => {
  it("tells a record that vanished, once", () => {
    expect(gapsIn(chainOf(6).toSpliced(2, 2))).toEqual([{ expectedSeq: 2, foundSeq: 4, reason: "missing" }]);
  });

  it("tells an epoch whose first records vanished", () => {
    expect(gapsIn(chainOf(3).slice(1))).toEqual([{ expectedSeq: 0, foundSeq: 1, reason: "missing" }]);
  });

  it("tells a record that was changed at the one that follows it", () => {
    const events = chainOf(4);
    const changed = { ...events[1]!, time: "2026-07-01T11:00:00.000Z" };
    expect(gapsIn(events.with(1, changed))).toEqual([
      { expectedSeq: 2, foundSeq: 2, reason: "hash_mismatch" },
    ]);
  });

  it("tells a record that was put in twice, and goes on from the newest", () => {
    const events = chainOf(4);
    expect(gapsIn(events.toSpliced(3, 0, events[1]!))).toEqual([
      { expectedSeq: 3, foundSeq: 1, reason: "hash_mismatch" },
    ]);
  });

  it("tells an epoch that begins with a hash or with another record", () => {
    expect(gapsIn([numbered(0, "a".repeat(64), "RecorderStarted")])).toHaveLength(1);
    expect(gapsIn([numbered(0, ZERO_HASH, "CallIntended")])).toHaveLength(1);
  });

  it("tells a second beginning within an epoch", () => {
    const [first] = chainOf(1);
    expect(gapsIn([first!, numbered(1, leafHashHex(first!), "RecorderStarted")])).toHaveLength(1);
  });

  it("tells a record after the recorder stopped", () => {
    const [first] = chainOf(1);
    const stopped = numbered(1, leafHashHex(first!), "RecorderStopped");
    expect(gapsIn([first!, stopped, numbered(2, leafHashHex(stopped))])).toEqual([
      { expectedSeq: 2, foundSeq: 2, reason: "hash_mismatch" },
    ]);
  });

  it("refuses a recorder that does not follow its contract", () => {
    const malformed = record(1, "CallIntended", { recorder: { id: "proxy-1", seq: -1 } });
    expect(() => nextChainState(undefined, malformed)).toThrow(/Quarantine/);
  });

  it("is silent over whole epochs and events that no recorder numbers", () => {
    const other = record(9, "PrincipalAuthenticated", { principal: {} });
    expect(gapsIn([...chainOf(3), other, ...chainOf(2, uuid(801))])).toEqual([]);
    expect(nextChainState(undefined, other)).toEqual({ state: undefined });
  });

  it("takes the caller's leaf hash in place of hashing again", () => {
    const step = nextChainState(undefined, chainOf(1)[0]!, "b".repeat(64));
    expect(step).toEqual({
      state: { recorderId: "proxy-1", epoch: uuid(800), seq: 0, hash: "b".repeat(64), stopped: false },
    });
  });
});
