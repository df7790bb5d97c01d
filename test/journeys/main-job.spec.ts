import { play } from "@countersign/local";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestSuite } from "./suite.fixture.js";

/** The play of `npm run demo`: it throws at the first step that does not hold. */
describe("the main job, end to end", () => {
  let suite: Awaited<ReturnType<typeof startTestSuite>>;
  beforeAll(async () => {
    suite = await startTestSuite();
  });
  afterAll(() => suite?.forget());

  it("holds at every step, and tells each", async () => {
    const lines: string[] = [];
    await play(suite, (line) => lines.push(line)).catch((error: unknown) => {
      throw new Error(lines.join("\n"), { cause: error });
    });
    expect(lines.filter((line) => /^\S*\d+\. /.test(line)).length).toBeGreaterThanOrEqual(9);
  });
});
