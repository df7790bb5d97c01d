import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CanonicalizationRefused, LeafTooLarge } from "./errors.js";
import { sha256Hex } from "./hashes.js";
import { leafBytesMax, leafHashHex, leafOf, verifyPayloads, withheldPayloads } from "./leaf.js";
import { intended, payloadOf, record } from "./records.fixture.js";

const leafText = (...args: Parameters<typeof leafOf>): string => new TextDecoder().decode(leafOf(...args));

const finding = {
  kind: "pan",
  brand: "mastercard",
  path: "/result/structuredContent/payments/1234/card/number",
  start: 0,
  end: 16,
  rule: "range-length-luhn",
  first6: "555555",
  last4: "4444",
  fingerprint: "f".repeat(64),
};
const findingsOf = (count: number) => Array.from({ length: count }, () => finding);
const withFindings = (count: number) =>
  record(1, "CallCompleted", { response: { ...payloadOf("{}"), findings: findingsOf(count) } });

describe("a leaf", () => {
  it("names a payload by its digest and leaves its text out", () => {
    const leaf = leafText(intended(1, "a very long answer"));
    expect(leaf).not.toContain("a very long answer");
    expect(leaf).toContain(sha256Hex("a very long answer"));
  });

  it("leaves texts out wherever a payload stands", () => {
    const leaf = leafText(
      record(1, "Any", { deep: [{ er: { payload: payloadOf("hidden") } }], text: "kept" }),
    );
    expect(leaf).not.toContain("hidden");
    expect(leaf).toContain("kept");
  });

  it("keeps a text that no digest stands for", () => {
    expect(leafText(record(1, "Any", { policies: [{ file: "a.cedar", text: "permit" }] }))).toContain(
      "permit",
    );
    expect(leafText(record(1, "Any", { text: "kept", sha256: 7 }))).toContain("kept");
    expect(leafText(record(1, "Any", { text: ["kept"], sha256: "0" }))).toContain("kept");
  });

  it("is the same for a sealed original with and without its ciphertext", () => {
    const data = { originalId: "1", sha256: sha256Hex("sealed"), sealed: "sealed" };
    const { sealed: _, ...without } = data;
    expect(leafHashHex(record(1, "OriginalSealed", data))).toBe(
      leafHashHex(record(1, "OriginalSealed", without)),
    );
    expect(leafText(record(1, "OriginalSealed", data))).not.toContain('"sealed"');
  });

  it("is the same for a wrapped key and for its digest, so that a destroyed key leaves the proof whole", () => {
    const wrapped = record(1, "SessionKeyWrapped", { keyId: "1", wrapped: "jwe" });
    const destroyed = record(1, "SessionKeyWrapped", { keyId: "1", wrappedSha256: sha256Hex("jwe") });
    expect(leafHashHex(wrapped)).toBe(leafHashHex(destroyed));
  });

  it("is refused where a wrapped key and a digest stand side by side, since only one would be proven", () => {
    const both = record(1, "SessionKeyWrapped", { wrapped: "jwe", wrappedSha256: sha256Hex("jwe") });
    expect(() => leafOf(both)).toThrow(CanonicalizationRefused);
  });

  it("is refused to data that JSON cannot say", () => {
    expect(() => leafOf(record(1, "Any", { clientAddress: undefined }))).toThrow(CanonicalizationRefused);
    expect(() => leafOf(record(1, "Any", { at: new Date(0) }))).toThrow(CanonicalizationRefused);
    expect(() => leafOf(record(1, "Any", undefined))).toThrow(CanonicalizationRefused);
  });

  it("holds the envelope and nothing beside it", () => {
    const { cause: _, ...event } = { ...record(1, "Any", {}), cause: "c", offset: "7" };
    expect(leafText(event)).toBe(
      `{"data":{},"id":"${event.id}","source":"proxy","subject":"${event.subject}","time":"${event.time}","type":"Any"}`,
    );
    expect(leafText({ ...record(1, "Any", {}), cause: "c" })).toContain('"cause":"c"');
  });

  it("stays within 64 KiB with a payload of megabytes and 200 findings", () => {
    const data = { response: { ...payloadOf("x".repeat(5_000_000)), findings: findingsOf(200) } };
    expect(leafOf(record(1, "CallCompleted", data)).byteLength).toBeLessThan(64 * 1024);
  });

  it("takes some 4,000 findings and is refused past 1 MiB", () => {
    expect(leafOf(withFindings(4_000)).byteLength).toBeLessThan(leafBytesMax);
    expect(() => leafOf(withFindings(8_000))).toThrow(LeafTooLarge);
  });

  it("differs where anything but a digested text differs", () => {
    const changed = { ...intended(1, "a"), time: "2026-07-01T10:00:00.001Z" };
    expect(leafHashHex(changed)).not.toBe(leafHashHex(intended(1, "a")));
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), fc.jsonValue({ maxDepth: 3 }), (a, b) => {
        const [first, second] = [record(1, "Any", { a }), record(1, "Any", { a: b })];
        const same =
          JSON.stringify(JSON.parse(leafText(first))) === JSON.stringify(JSON.parse(leafText(second)));
        expect(leafHashHex(first) === leafHashHex(second)).toBe(same);
      }),
    );
  });
});

describe("the payloads of a record", () => {
  it("are told by place where the text is not what the digest says", () => {
    const data = { "a/b": [{ ...payloadOf("right"), text: "wrong" }], request: payloadOf("right") };
    expect(verifyPayloads(record(1, "Any", data))).toEqual(["/data/a~1b/0"]);
  });

  it("are told where the text was taken out", () => {
    const { text: _, ...emptied } = payloadOf("gone");
    expect(verifyPayloads(record(1, "Any", { request: emptied }))).toEqual(["/data/request"]);
  });

  it("are told where the text is withheld, which leaves the leaf as it was", () => {
    const withheld = record(1, "Any", { request: { ...payloadOf("4111"), text: null } });
    expect(verifyPayloads(withheld)).toEqual(["/data/request"]);
    expect(withheldPayloads(withheld)).toEqual(["/data/request"]);
    expect(leafHashHex(withheld)).toBe(leafHashHex(record(1, "Any", { request: payloadOf("4111") })));
    expect(withheldPayloads(record(1, "Any", { request: payloadOf("4111") }))).toEqual([]);
  });

  it("are told where a lone surrogate would share its digest with another text", () => {
    const payload = { ...payloadOf("\ufffd"), text: "\ud800" };
    expect(verifyPayloads(record(1, "Any", { request: payload }))).toEqual(["/data/request"]);
  });

  it("are told where a sealed original is not what its digest says", () => {
    const data = { sealed: "changed", sha256: sha256Hex("sealed") };
    expect(verifyPayloads(record(1, "OriginalSealed", data))).toEqual(["/data"]);
    expect(verifyPayloads(record(1, "OriginalSealed", { ...data, sealed: "sealed" }))).toEqual([]);
  });

  it("are in order in a record as the proxy writes it", () => {
    expect(verifyPayloads(intended(1, '{"ä":"€"}'))).toEqual([]);
  });
});
