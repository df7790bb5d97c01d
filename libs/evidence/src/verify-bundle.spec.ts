import { beforeAll, describe, expect, it } from "vitest";
import { codesOf, events, logOf, verifierKey, written } from "./bundle.fixture.js";
import { bundleLineBytesMax } from "./bundle.js";
import { bundleLines } from "./bundle-lines.js";
import { canonicalJson } from "./canonical-json.js";
import { otherKey, payloadOf } from "./records.fixture.js";
import { bundleProblemsMax, verifyBundle } from "./verify-bundle.js";

let log: Awaited<ReturnType<typeof logOf>>;
let lines: string[];
beforeAll(async () => {
  log = await logOf(events);
  lines = await written(log.source, log.records);
});

/** The line with one member changed and written canonically again, as a forger would. */
const forged = (line: string, change: (value: Record<string, unknown>) => void): string => {
  const value: Record<string, unknown> = JSON.parse(line);
  change(value);
  return canonicalJson(value);
};

const verifyBytes = (bytes: Uint8Array) => verifyBundle(bundleLines([bytes]));

const [lowestBit, letterCase, lineFeedToCarriageReturn] = [0x01, 0x20, 0x07];

describe("a bundle with one byte changed", () => {
  it("is not proven, whichever byte it is", { timeout: 60_000 }, async () => {
    const { source, records } = await logOf(events.slice(0, 2));
    const bytes = Buffer.from((await written(source, records)).map((line) => `${line}\n`).join(""));
    expect((await verifyBytes(bytes)).ok).toBe(true);
    const unseen: string[] = [];
    for (let at = 0; at < bytes.length; at += 1) {
      for (const mask of [lowestBit, letterCase, lineFeedToCarriageReturn]) {
        bytes[at]! ^= mask;
        if ((await verifyBytes(bytes)).ok) unseen.push(`byte ${at}, mask ${mask}`);
        bytes[at]! ^= mask;
      }
    }
    expect(unseen).toEqual([]);
  });
});

describe("a bundle with a text that its exporter withheld", () => {
  it("is proven by the digest, and says how many there are", async () => {
    const withheld = events.with(0, {
      ...events[0]!,
      data: { ...(events[0]!.data as object), request: { ...payloadOf('{"café":"€"}'), text: null } },
    });
    const kept = log.records.map((entry) => ({ ...entry, event: withheld[entry.index]! }));
    const report = await verifyBundle(await written(log.source, kept));
    expect(report).toMatchObject({ ok: true, records: events.length, withheld: 1 });
    expect(await verifyBundle(lines)).toMatchObject({ ok: true, withheld: 0 });
  });

  it("is not proven where somebody else withheld it", async () => {
    const forgedLine = forged(lines[1]!, (value) => {
      const { data } = value["event"] as { data: { request: { text: unknown } } };
      data.request.text = null;
    });
    expect((await verifyBundle(lines.with(1, forgedLine))).ok).toBe(false);
  });
});

describe("a bundle that was tampered with", () => {
  it("is not proven where a record was taken out, and it says so", async () => {
    const report = await verifyBundle(lines.toSpliced(2, 1));
    expect(report.ok).toBe(false);
    expect(codesOf(report)).toEqual(["records_differ", "bundle_changed"]);
  });

  it("is not proven where it was cut short", async () => {
    expect(codesOf(await verifyBundle(lines.slice(0, -1)))).toEqual(["end_missing"]);
    expect(codesOf(await verifyBundle([]))).toEqual(["end_missing"]);
    const bytes = Buffer.from(lines.join("\n"));
    expect(codesOf(await verifyBytes(bytes))).toEqual(["line_not_ended"]);
  });

  it("names the record whose payload was changed", async () => {
    const changed = lines.with(2, lines[2]!.replace('"answer"', '"anzwer"'));
    const report = await verifyBundle(changed);
    expect(report.problems).toContainEqual(
      expect.objectContaining({ line: 3, index: 1, code: "payload_changed" }),
    );
    expect(codesOf(report)).toEqual(["payload_changed", "bundle_changed"]);
    expect(report.records).toBe(events.length - 1);
  });

  it("names the record whose payload was changed with its digest", async () => {
    const changed = lines.with(
      2,
      forged(lines[2]!, (value) => {
        value["event"] = { ...events[1], data: { response: payloadOf("other"), outcome: "result" } };
      }),
    );
    expect((await verifyBundle(changed)).problems[0]).toMatchObject({
      line: 3,
      index: 1,
      code: "not_included",
    });
  });

  it("is not proven where the text of a payload was taken out, though its leaf is the same", async () => {
    const { text: _, ...emptied } = payloadOf("answer");
    const records = log.records.with(1, {
      ...log.records[1]!,
      event: { ...events[1]!, data: { response: emptied, outcome: "result" } },
    });
    expect(codesOf(await verifyBundle(await written(log.source, records)))).toEqual(["payload_changed"]);
  });

  it("is not proven where an event has a member that no leaf holds", async () => {
    const event = { ...events[1]!, approvedBy: "nobody" };
    const records = log.records.with(1, { ...log.records[1]!, event });
    expect(codesOf(await verifyBundle(await written(log.source, records)))).toEqual(["record_malformed"]);
  });

  it("is not proven where a record stands twice or out of order", async () => {
    const [first, second] = log.records;
    const twice = await written(log.source, [first!, first!]);
    expect(codesOf(await verifyBundle(twice))).toEqual(["index_not_ascending"]);
    const reversed = await written(log.source, [second!, first!]);
    expect(codesOf(await verifyBundle(reversed))).toEqual(["index_not_ascending"]);
  });

  it("is not proven where a record is given another place in the log", async () => {
    const records = log.records.with(4, { ...log.records[4]!, index: 5 });
    expect(codesOf(await verifyBundle(await written(log.source, records)))).toEqual(["not_included"]);
  });

  it("is not proven where a line is written in another spelling of the same JSON", async () => {
    const spaced = lines.with(1, lines[1]!.replace(":", ": "));
    expect(codesOf(await verifyBundle(spaced))).toContain("not_canonical");
    const escaped = lines.with(1, lines[1]!.replace("€", String.raw`\u20ac`));
    expect(codesOf(await verifyBundle(escaped))).toContain("not_canonical");
    const twice = lines.with(1, lines[1]!.replace('"index":0', '"index":0,"index":0'));
    expect(codesOf(await verifyBundle(twice))).toContain("not_canonical");
  });

  it("is not proven where something follows its end", async () => {
    expect(codesOf(await verifyBundle([...lines, lines[1]!]))).toEqual(["line_after_end"]);
    expect(codesOf(await verifyBundle([...lines, ""]))).toEqual(["line_after_end"]);
  });

  it("is not proven where its header says something else than was signed", async () => {
    const header = forged(lines[0]!, (value) => (value["query"] = { principal: "corp:bob" }));
    expect(codesOf(await verifyBundle(lines.with(0, header)))).toEqual(["bundle_changed"]);
    const other = forged(lines[0]!, (value) => (value["origin"] = "example.com/other"));
    expect(codesOf(await verifyBundle(lines.with(0, other)))).toEqual(["origin_differs", "bundle_changed"]);
  });

  it("is not proven where someone with another key made all of it", async () => {
    const { source, records } = await logOf(events, otherKey);
    const report = await verifyBundle(await written(source, records), { verifierKey });
    expect(report).toMatchObject({ ok: false, keyTrusted: false, records: 0 });
    expect(codesOf(report)).toContain("key_differs");
  });

  it("is not proven where another key signed its end", async () => {
    const other = await written((await logOf(events, otherKey)).source, []);
    const report = await verifyBundle([...lines.slice(0, -1), other.at(-1)!]);
    expect(codesOf(report)).toContain("end_signature_invalid");
  });

  it.each([
    ["null", "header_malformed"],
    ["[]", "header_malformed"],
    ["7", "header_malformed"],
    ['{"countersign":"evidence-bundle","version":2}', "header_malformed"],
    ["", "not_canonical"],
    ["not json", "not_canonical"],
  ])("is not proven where its header is %j", async (header, code) => {
    const report = await verifyBundle(lines.with(0, header));
    expect(codesOf(report)).toEqual([code]);
    expect(report).toMatchObject({ ok: false, records: 0, keyTrusted: false });
  });

  it("stops being read after a bounded number of problems", async () => {
    const garbage = Array.from({ length: bundleProblemsMax * 2 }, () => "{}");
    const report = await verifyBundle([lines[0]!, ...garbage]);
    expect(report.problems.length).toBe(bundleProblemsMax);
  });

  it("is not proven where a line is longer than any record of the log", async () => {
    const tooLong = "x".repeat(bundleLineBytesMax + 1);
    expect(codesOf(await verifyBundle([lines[0]!, tooLong]))).toContain("line_too_long");
  });

  it("does not bring the verifier down with JSON nested without end", async () => {
    const nested = "[".repeat(200_000) + "]".repeat(200_000);
    expect((await verifyBundle([lines[0]!, nested])).ok).toBe(false);
  });
});
