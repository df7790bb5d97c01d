import { describe, expect, it } from "vitest";

import { BUILT_IN_POLICY } from "./built-in-policy.js";
import { Collector } from "./collector.js";
import type { JsonSink } from "./json-reader.js";
import { readJson } from "./json-reader.js";
import { seeded } from "./matrix.js";
import { scanJson } from "./scan.js";
import { prepare } from "./settings.js";
import { SPEED_TEXTS } from "./speed-texts.js";
import { borrowBytes, returnBytes } from "./text-bytes.js";

const UNITS = 256 * 1024;
const options = { policy: BUILT_IN_POLICY };
const settings = prepare(options);

function read<Sink extends JsonSink>(
  text: string,
  create: (source: ReturnType<typeof borrowBytes>) => Sink,
): Sink {
  const source = borrowBytes(text);
  const sink = create(source);
  readJson(text, source, sink);
  returnBytes(source);
  return sink;
}

/** How many of a text's values are not passed over at the first look. */
function looks(text: string): { values: number; searched: number; judgedByNames: number } {
  let values = 0;
  read(text, () => ({ key: () => false, string: () => void values++, number: () => void values++ }));
  const { candidates } = read(text, (source) => new Collector(text, source, 0, settings));
  const searched = candidates.filter(({ suspicion }) => suspicion === "any").length;
  return { values, searched, judgedByNames: candidates.length - searched };
}

const textOf = (kind: string) => SPEED_TEXTS[kind]!(UNITS, seeded(20261122));

describe("what costs time", { timeout: 120_000 }, () => {
  it("is not spent on prose and records, of which no value needs a closer look", () => {
    for (const kind of ["prose", "records"]) {
      expect(looks(textOf(kind))).toMatchObject({ searched: 0, judgedByNames: 0 });
    }
  });

  it("is spent on few identifiers, dates and amounts: one in a hundred is searched, one in ten judged by its names", () => {
    const { values, searched, judgedByNames } = looks(textOf("digits"));
    expect(values).toBeGreaterThan(9_000);
    expect(searched / values).toBeLessThan(0.01);
    expect(judgedByNames / values).toBeLessThan(0.1);
  });

  it("is not spent on searching a picture", () => {
    expect(looks(textOf("base64"))).toMatchObject({ searched: 0, judgedByNames: 1 });
  });

  it.each(Object.keys(SPEED_TEXTS))("stays near what JSON.parse costs in the same run: %s", (kind) => {
    const text = textOf(kind);
    const ratios = Array.from({ length: 9 }, () => {
      const start = performance.now();
      for (let i = 0; i < 10; i++) JSON.parse(text);
      const parsed = performance.now();
      for (let i = 0; i < 10; i++) scanJson(text, options);
      return (performance.now() - parsed) / (parsed - start);
    });
    // Measured: from half of it to two and a half times it. A quadratic step, or a look at every value, is far above.
    expect(ratios.toSorted((a, b) => a - b)[0]).toBeLessThan(15);
  });
});
