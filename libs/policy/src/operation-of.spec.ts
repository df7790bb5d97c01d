import { describe, expect, it } from "vitest";
import { operationOf } from "./operation-of.js";

describe("the operation of a method", () => {
  it.each([
    ["tools/call", { name: "refund" }, { kind: "tool", name: "refund" }],
    ["resources/read", { uri: "payments://a" }, { kind: "resource", uri: "payments://a" }],
    ["prompts/get", { name: "summary" }, { kind: "prompt", name: "summary" }],
    [
      "completion/complete",
      { ref: { type: "ref/prompt", name: "summary" } },
      { kind: "prompt", name: "summary" },
    ],
    ["completion/complete", { ref: { type: "ref/resource", uri: "a" } }, { kind: "resource", uri: "a" }],
    ["vendor/wipe", {}, { kind: "method", name: "vendor/wipe" }],
    ["Tools/Call", { name: "refund" }, { kind: "method", name: "Tools/Call" }],
    ["tools/call", undefined, { kind: "tool", name: "" }],
    ["tools/call", { name: ["refund"] }, { kind: "tool", name: "" }],
  ])("%s %j", (method, params, expected) => {
    expect(operationOf(method, params)).toEqual(expected);
  });

  it.each(["initialize", "ping", "tools/list", "notifications/cancelled"])(
    "%s is plain protocol",
    (method) => {
      expect(operationOf(method, {})).toBeUndefined();
    },
  );
});
