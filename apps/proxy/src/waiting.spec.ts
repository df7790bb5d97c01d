import { describe, expect, it } from "vitest";
import { classify } from "./steps/parse-message.js";
import { cancelledId, requestNamed, Waiting } from "./waiting.js";

const key = Buffer.alloc(32, 1);
const cancel = (requestId: unknown) =>
  classify({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId } });

describe("a call that waits for an approval", () => {
  it("is cancelled by its own session and id alone, and says nothing of the id", () => {
    const waiting = new Waiting();
    const { cancelled } = waiting.add(requestNamed(key, "s1", "4111111111111111"));
    expect(waiting.cancel(requestNamed(key, "s2", "4111111111111111"))).toBe(false);
    expect(waiting.cancel(requestNamed(key, "s1", 4111111111111111))).toBe(false);
    expect(waiting.cancel(requestNamed(Buffer.alloc(32, 2), "s1", "4111111111111111"))).toBe(false);
    expect(cancelled.aborted).toBe(false);
    const named = requestNamed(key, "s1", "4111111111111111");
    expect(JSON.stringify(named)).not.toContain("4111");
    expect(waiting.cancel(named)).toBe(true);
    expect(cancelled.aborted).toBe(true);
  });

  it("is not forgotten because another one with its id ended", () => {
    const waiting = new Waiting();
    const named = requestNamed(key, "s1", 1);
    const first = waiting.add(named);
    const second = waiting.add(named);
    first.done();
    expect(waiting.cancel(named)).toBe(true);
    expect(second.cancelled.aborted).toBe(true);
  });

  it.each([
    [1, 1],
    ["a", "a"],
    [{}, undefined],
    [undefined, undefined],
  ])("is named by the notification's id %j", (given, id) => {
    const message = cancel(given);
    expect(message && cancelledId(message)).toBe(id);
  });
});
