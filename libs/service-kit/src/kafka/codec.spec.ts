import type { EventMessage } from "@countersign/contracts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeEvent, encodeEvent } from "./codec.js";

const id = "01900000-0000-7000-8000-000000000001";
const stored: EventMessage = {
  id,
  type: "OriginalStored",
  source: "masking",
  subject: "session-1",
  time: "2026-01-02T03:04:05.678Z",
  cause: "01900000-0000-7000-8000-000000000002",
  data: { originalId: id, sessionId: id, callId: id, sha256: "0".repeat(64) },
};

const decode = (event: EventMessage, change: { headers?: object; value?: Buffer | null } = {}) => {
  const { headers, value } = encodeEvent(event);
  return decodeEvent(
    "masking.events",
    { ...headers, ...change.headers },
    change.value === undefined ? Buffer.from(value ?? "") : change.value,
  );
};

describe("a message on Kafka", () => {
  it.each([
    ["a type that the topic does not carry", { headers: { ce_type: "SessionGranted" } }, "unknown_type"],
    ["no type", { headers: { ce_type: undefined } }, "invalid_envelope"],
    ["no id", { headers: { ce_id: undefined } }, "invalid_envelope"],
    ["an id that is none", { headers: { ce_id: "7" } }, "invalid_envelope"],
    ["a local time", { headers: { ce_time: "2026-01-02 03:04" } }, "invalid_envelope"],
    ["no value", { value: null }, "invalid_data"],
    ["a value that is not JSON", { value: Buffer.from("{") }, "invalid_data"],
    ["data of another shape", { value: Buffer.from('{"originalId":7}') }, "invalid_data"],
  ])("with %s cannot be read", (_, change, reason) => {
    expect(decode(stored, change).problem?.reason).toBe(reason);
  });

  it("is never quoted in what is said of it", () => {
    const canary = "4111111111111111";
    const value = Buffer.from(JSON.stringify({ originalId: canary, sha256: canary, [canary]: canary }));
    for (const change of [{ value }, { value: Buffer.from(canary + "{") }, { headers: { ce_id: canary } }]) {
      const { problem } = decode(stored, change);
      expect(problem).toBeDefined();
      expect(JSON.stringify(problem)).not.toContain(canary);
    }
  });

  it("is a CloudEvent in binary mode whose key is its subject", () => {
    const message = encodeEvent(stored);
    expect(message.key).toBe("session-1");
    expect(message.headers).toMatchObject({
      ce_specversion: "1.0",
      ce_type: "OriginalStored",
      "content-type": "application/json",
    });
  });

  it("keeps fields of a later version", () => {
    const later = { ...stored, data: { ...(stored.data as object), addedLater: ["x"] } };
    expect(decode(later).event).toEqual(later);
  });

  it("comes back as it was written, whatever is in it", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string({ unit: "binary" }), (extra, subject) => {
        const written = {
          ...stored,
          subject,
          data: { ...(stored.data as object), extra: JSON.parse(JSON.stringify(extra)) },
        };
        expect(decode(written).event).toEqual(written);
      }),
    );
  });
});
