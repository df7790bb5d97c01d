import { BUILT_IN_POLICY, StreamMemory } from "@countersign/card-data";
import { describe, expect, it } from "vitest";
import { Scanner } from "./payloads.js";

const allow = [{ pattern: "ORD-################", reason: "order numbers", expires: "2026-12-31" }];
const scannerOn = (day: string): Scanner =>
  new Scanner(
    () => ({ ...BUILT_IN_POLICY, allow }),
    Buffer.alloc(32, 1),
    () => new Date(day),
  );

describe("the scanner", () => {
  it("lets a shape pass that policy allows, until its end and not a day longer", () => {
    const text = `{"order":"ORD-4111111111111111"}`;
    expect(scannerOn("2026-12-31T12:00:00.000Z").json(text).masked).toBe(text);
    expect(scannerOn("2027-01-01T12:00:00.000Z").json(text).masked).not.toContain("4111111111111111");
  });

  it("says of content that it cannot search, however its name is written", () => {
    const data = Buffer.from([0, 1, 2, 3, 250, 251]).toString("base64");
    for (const name of ["data", "\\u0064ata", "dat\\u0061"]) {
      const text = `{"result":{"content":[{"type":"audio","${name}":"${data}"}]}}`;
      expect(scannerOn("2026-11-22T12:00:00.000Z").json(text).findings).toMatchObject([
        { kind: "unscanned", path: "/result/content/0/data" },
      ]);
    }
  });

  it("keeps nothing to seal where nothing was found, and no verification code where something was", () => {
    const scanner = scannerOn("2026-11-22T12:00:00.000Z");
    expect(scanner.json(`{"a":1.10}`).toSeal).toBeUndefined();
    const { masked, toSeal } = scanner.json(`{"pan":"4111111111111111","cvv":"987"}`);
    expect(masked).toBe(`{"pan":"411111******1111","cvv":"***"}`);
    expect(toSeal).toContain("4111111111111111");
    expect(toSeal).not.toContain("987");
  });

  it("masks what goes on with a card of the message before, and seals it as it came without codes", () => {
    const scanner = scannerOn("2026-11-22T12:00:00.000Z");
    const memory = new StreamMemory();
    const follow = (text: string) =>
      scanner.follow(scanner.json(text), memory, () => ({ about: "", isContent: () => true }));
    const first = `{"data":"41111111"}`;
    expect(follow(first)).toEqual(scanner.json(first));
    const second = follow(`{"data":"11111111","cvv":"987"}`);
    expect(second.recorded).toBe(`{"data":"********","cvv":"***"}`);
    expect(second.masked).toBe(second.recorded);
    expect(second.toSeal).toBe(`{"data":"11111111","cvv":"***"}`);
  });
});
