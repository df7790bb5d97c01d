import { Readable } from "node:stream";
import { BUILT_IN_POLICY } from "@countersign/card-data";
import type { SessionGranted } from "@countersign/contracts";
import { Clock } from "@countersign/service-kit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Call } from "../call.js";
import { CallRecords } from "../evidence/call-records.js";
import { Scanner } from "../evidence/payloads.js";
import type { Draft } from "../evidence/recorder.js";
import { Sealer } from "../evidence/seal.js";
import type { Gateway } from "../gateway.js";
import { Outstanding } from "../outstanding.js";
import type { Forwarded } from "./forward.js";
import { relayStream } from "./relay-stream.js";

const scanner = new Scanner(() => BUILT_IN_POLICY, Buffer.alloc(32, 1));
const reader = { scanner, own: new Set<string>(), mayCall: () => true, lookAt: () => ({ holds: true }) };
const clock = new Clock();
const bytesMax = 300;

/** What the client and the log have of a stream that came in these chunks, and how it ended. */
async function relayed(chunks: readonly Buffer[]) {
  const recorded: Draft[] = [];
  let written = "";
  const gateway = {
    recorder: { record: (drafts: Draft[]) => Promise.resolve(void recorded.push(...drafts)) },
    metrics: { calls: { inc: () => undefined } },
    tools: { apply: () => undefined },
    clock,
  } as unknown as Gateway;
  const session = { sessionId: "s", principal: { id: "p" }, client: { id: "c" }, endpoint: "cards" };
  const sealer = new Sealer(
    () => undefined,
    () => clock.newId(),
  );
  const records = new CallRecords(
    {
      callId: "call",
      session: session as unknown as SessionGranted,
      clientAddress: "",
      era: "legacy",
      method: "tools/call",
      target: undefined,
    },
    { scanner, sealer, clock },
  );
  const rpc = { kind: "request", id: 1, method: "tools/call" };
  const call = {
    members: [{ message: { rpc }, records }],
    records,
    admitted: { endpoint: { name: "cards", messageBytesMax: bytesMax } },
    reply: {
      startStream: () => undefined,
      write: (text: string) => ((written += text), true),
    },
    startedAt: 0,
  } as unknown as Call;
  const outstanding = new Outstanding(call);
  const forwarded = { answer: { body: Readable.from(chunks) }, alive: () => undefined };
  const end = await relayStream(
    gateway,
    call,
    forwarded as unknown as Forwarded,
    outstanding,
    reader,
    {},
  ).then(
    () => "ended",
    (error: unknown) => String(error),
  );
  return { written, recorded: recorded.map(({ type }) => type), outstanding: outstanding.size, end };
}

const cutAt = (bytes: Buffer, places: readonly number[]): Buffer[] => {
  const sorted = [0, ...places.map((place) => place % bytes.length), bytes.length].toSorted((a, b) => a - b);
  return sorted.slice(1).map((end, at) => bytes.subarray(sorted[at], end));
};

const event = (message: object): string =>
  `id: 1\ndata: ${JSON.stringify({ jsonrpc: "2.0", ...message })}\n\n`;
const note = event({ method: "notifications/message", params: { data: "grüße" } });
const answer = event({ id: 1, result: {} });

describe("a stream with something in it that cannot be passed on", () => {
  it.each<[string, Buffer, RegExp]>([
    ["what is no JSON", Buffer.from("data: {oops\n\n"), /not strict JSON/],
    ["bytes that are no UTF-8", Buffer.from("data: \xff\xfe\n\n", "latin1"), /not valid UTF-8/],
    ["an event past the bound", Buffer.from(`data: "${"x".repeat(bytesMax)}"\n\n`), /larger than/],
    ["an event past the bound that never ends", Buffer.from(`data: "${"x".repeat(bytesMax)}`), /larger than/],
  ])("passes on and records what came before, wherever it is cut: %s", async (_, broken, why) => {
    const bytes = Buffer.concat([Buffer.from(note + answer), broken, Buffer.from(note)]);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 12 }), async (places) => {
        const { written, recorded, outstanding, end } = await relayed(cutAt(bytes, places));
        expect(written).toBe(note + answer);
        expect(recorded).toEqual(["MessageRecorded", "CallCompleted"]);
        expect(outstanding).toBe(0);
        expect(end).toMatch(why);
      }),
      { seed: 20_261_122, numRuns: 100, examples: [[[]]] },
    );
  });

  it("is the same to its end where nothing is broken", async () => {
    const bytes = Buffer.from(`\u{FEFF}${note}${answer}${note}`);
    for (const places of [[], [1, 2], [70, 71, 72, 73]]) {
      const { written, end } = await relayed(cutAt(bytes, places));
      expect([written, end]).toEqual([note + answer + note, "ended"]);
    }
  });
});
