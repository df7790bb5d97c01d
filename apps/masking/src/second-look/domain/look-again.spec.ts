import { deflateSync, gzipSync } from "node:zlib";
import { BUILT_IN_POLICY } from "@countersign/card-data";
import { describe, expect, it } from "vitest";
import { lookAgain } from "./look-again.js";

const card = "4929112233440562";
const json = "application/json";
const options = { policy: BUILT_IN_POLICY, fingerprintKey: new Uint8Array(32) };
const look = (value: unknown, more: Partial<typeof options> = {}) =>
  lookAgain(JSON.stringify(value), json, { ...options, ...more });

describe("the second look", () => {
  it.each([
    ["masked cards", { pan: "492911******0562", cvv: "***" }],
    ["ids and digests", { id: "0199aaaa-0000-7000-8000-000000000001", sha256: "ab12".repeat(16) }],
    [
      "packed bytes without card data",
      { body: gzipSync("nothing of value in here, really").toString("base64") },
    ],
    ["hexadecimal text without card data", { body: Buffer.from("nothing of value here").toString("hex") }],
    ["a count in words", { note: "one two three four five six seven eight nine ten" }],
    [
      "an archive that unpacks to far too much",
      { body: gzipSync(Buffer.alloc(3_000_000, 52)).toString("base64") },
    ],
  ])("says nothing of %s", (_, value) => {
    expect(look(value)).toBeUndefined();
  });

  it("finds what a key means only since the policy says so", () => {
    const value = { kartennummer_neu: "1234567890123" };
    expect(look(value)).toBeUndefined();
    const policy = { ...BUILT_IN_POLICY, panKeys: ["kartennummer_neu"] };
    expect(look(value, { policy })?.findings).toMatchObject([{ kind: "pan", path: "/kartennummer_neu" }]);
  });

  it.each([
    ["second.hex", Buffer.from(`pan=${card}`).toString("hex")],
    ["second.hex", Buffer.from(`pan=${card}`).toString("hex").replace(/(..)/g, "$1 ")],
    ["second.packed", gzipSync(`the card is ${card}, thank you`).toString("base64")],
    ["second.packed", deflateSync(`the card is ${card}, thank you`).toString("base64url")],
    ["second.words", "four nine two nine one one double two three three double four zero five six two"],
  ])("finds a card by %s in %j and hides it", (rule, hiding) => {
    const missed = look({ a: 1.1, note: [`see ${hiding} there`] });
    expect(missed?.findings).toMatchObject([{ kind: "pan", brand: "visa", path: "/note/0", rule }]);
    expect(missed?.text).toMatch(/^\{"a":1\.1,"note":\["see \[hidden by the second look\] ?there"\]\}$/);
    expect(look(JSON.parse(missed?.text ?? ""))).toBeUndefined();
  });

  it("tells the fingerprint, and never a digit", () => {
    const missed = look({ note: `card ${card}` });
    expect(missed?.findings[0]).toMatchObject({
      rule: "pan.range",
      fingerprint: expect.any(String) as string,
    });
    expect(JSON.stringify(missed?.findings)).not.toMatch(/492911|0562/);
    expect(missed?.text).not.toContain(card);
  });

  it("searches text that is not JSON, and text that only claims to be", () => {
    const hex = Buffer.from(`pan=${card}`).toString("hex");
    for (const type of ["text/plain", json]) {
      expect(lookAgain(`x ${hex}!`, type, options)).toMatchObject({
        text: "x [hidden by the second look]!",
        findings: [{ path: "", rule: "second.hex" }],
      });
    }
  });
});
