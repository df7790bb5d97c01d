import { describe, expect, it } from "vitest";

import { BUILT_IN_POLICY } from "./built-in-policy.js";
import { maskStream } from "./mask-stream.js";
import { seeded } from "./matrix.js";
import { scanText } from "./scan.js";

const options = { policy: BUILT_IN_POLICY };

async function masksAll(chunks: Iterable<string>) {
  let masked = "";
  const findings = [];
  let longest = 0;
  for await (const piece of maskStream(chunks, options)) {
    masked += piece.masked;
    findings.push(...piece.findings);
    longest = Math.max(longest, piece.masked.length);
  }
  return { masked, findings, longest };
}

function cut(text: string, random: () => number, unitsMax: number): string[] {
  const chunks: string[] = [];
  for (let at = 0; at < text.length;) {
    const units = 1 + Math.floor(random() * unitsMax);
    chunks.push(text.slice(at, at + units));
    at += units;
  }
  return chunks;
}

const LINE =
  "Paid with 4111 1111 1111 1111, cvv: 123; base64 NDExMTExMTExMTExMTExMQ==, order 4111 1111 1111 1112\n";

describe("a stream of text", { timeout: 120_000 }, () => {
  it.each([7, 1_000, 300_000])(
    "is masked as the whole text is, in chunks of up to %i units",
    async (unitsMax) => {
      const random = seeded(unitsMax);
      const filler = () => "lorem ipsum ".repeat(Math.floor(random() * 40));
      let text = "";
      while (text.length < 1_200_000) text += filler() + LINE;
      const whole = scanText(text, options);
      const { masked, findings, longest } = await masksAll(cut(text, random, unitsMax));
      expect(masked).toBe(whole.masked);
      expect(findings).toEqual(whole.findings);
      expect(longest).toBeLessThan(600_000);
    },
  );

  it("shows no card at the edge of any step, in text without lines", async () => {
    for (let shift = 0; shift < 40; shift++) {
      const text = `${"x ".repeat(128 * 1024 - shift)}${"y".repeat(shift)} 4111 1111 1111 1111 ${"z ".repeat(140_000)}`;
      const { masked } = await masksAll([text]);
      expect(masked).toContain(" 4111 11** **** 1111 ");
      expect(masked.length).toBe(text.length);
    }
  });

  it("waits for the end of a long value in base64", async () => {
    const value = Buffer.from(
      `${"some text ".repeat(60_000)} 4111111111111111 ${"more text ".repeat(9_000)}`,
    );
    const { masked } = await masksAll(cut(`data: ${value.toString("base64")} end`, seeded(1), 50_000));
    expect(Buffer.from(masked.slice(6, -4), "base64").toString()).toContain(" 411111******1111 ");
  });

  it.each([
    ["prose", LINE, "a few words of prose ", 600_000],
    [
      "lines of JSON",
      '{"card":"4111111111111111","cvv":"123"}\n',
      '{"id":1000000000000,"at":"noon"}\n',
      600_000,
    ],
    ["no white space at all", '{"pan":"4111111111111111"},', '{"a":"b"},', 6_000_000],
  ])("holds no more than a bounded part of it, however long it is: %s", async (_, unit, filler, heldMax) => {
    const chunk = unit + filler.repeat(Math.ceil(65_536 / filler.length));
    let taken = 0;
    let given = 0;
    let held = 0;
    function* endless() {
      for (; taken < 2 * heldMax; taken += chunk.length) {
        held = Math.max(held, taken - given);
        yield chunk;
      }
    }
    for await (const { masked } of maskStream(endless(), options)) given += masked.length;
    expect(given).toBe(taken);
    expect(held).toBeLessThan(heldMax);
  });

  it("of nothing is nothing", async () => {
    expect(await masksAll([])).toMatchObject({ masked: "", findings: [] });
    expect(await masksAll(["", ""])).toMatchObject({ masked: "", findings: [] });
  });
});
