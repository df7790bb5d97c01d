import { expect, it } from "vitest";
import { searchColumnsOf } from "./search-columns.js";

const of = (data: unknown, type = "CallCompleted") => searchColumnsOf({ type, data });

it("a call is found by who, where, what and how it ended", () => {
  const principal = { id: "company:ada", kind: "human" };
  const call = { sessionId: "s", principal, endpoint: "payments", method: "tools/call", target: "refund" };
  expect(of({ ...call, outcome: "result" })).toEqual({
    sessionId: "s",
    principalId: "company:ada",
    endpoint: "payments",
    method: "tools/call",
    tool: "refund",
    outcome: "result",
  });
  expect(of(call, "CallRefused").outcome).toBe("refused");
});

it.each([
  [{ principalId: "a" }],
  [{ by: { id: "a" } }],
  [{ requester: { id: "a" } }],
  [{ requesterId: "a" }],
])("whoever acted is found, however the event names them: %j", (data) => {
  expect(of(data).principalId).toBe("a");
});

it("data that is not what it should be has no columns and refuses nothing", () => {
  for (const data of [null, 1, "x", [], { sessionId: 4, principal: null, by: "x", endpoint: { a: 1 } }]) {
    expect(of(data)).toEqual({});
  }
});

it("values that an index cannot hold are cut to what it can", () => {
  const { endpoint = "", method } = of({ endpoint: "x".repeat(10_000), method: "a\0b" });
  expect(endpoint.length).toBe(256);
  expect(method).toBe("a\u{fffd}b");
});
