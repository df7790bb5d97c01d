import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as properties from "./testing/data-path.properties.js";

const runs = { seed: 20_261_122, numRuns: 300 };

describe("every message on its way", () => {
  it("passes to the byte where it holds no card data", () => {
    expect(() => fc.assert(properties.cleanAnswersPass, runs)).not.toThrow();
  });

  it("carries no card number, in whatever disguise", () => {
    expect(() => fc.assert(properties.noCardPasses, runs)).not.toThrow();
  });

  it("is read in a batch as it is read alone", () => {
    expect(() => fc.assert(properties.batchesAreTheirMessages, runs)).not.toThrow();
  });

  it("is the same on a stream whatever the chunks are", () => {
    expect(() => fc.assert(properties.chunksDoNotMatter, runs)).not.toThrow();
  });

  it("ends no card on a stream that messages before it began", () => {
    expect(() => fc.assert(properties.noCardPassesInPieces, runs)).not.toThrow();
  });

  it("is refused where it is none", () => {
    expect(() => fc.assert(properties.garbageIsRefused, runs)).not.toThrow();
  });

  it("is read as it was sent, or refused", async () => {
    await expect(fc.assert(properties.whatIsReadIsWhatWasSent, runs)).resolves.toBeUndefined();
  });
});
