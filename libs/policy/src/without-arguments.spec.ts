import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { PolicyEngine } from "./index.js";

const schema = readFileSync(new URL("../../../policies/schema.cedarschema", import.meta.url), "utf8");
const now = new Date("2026-11-23T21:00:00.000Z");
const couldAllow = (text: string): boolean =>
  new PolicyEngine({ version: "1", policies: [{ file: "test.cedar", text }], schema }).couldAllow(
    {
      action: "call",
      principal: { id: "acme:ada", kind: "human", groups: ["engineers"] },
      endpoint: "payments",
      operation: { kind: "tool", name: "refund" },
      client: { id: "client" },
    },
    now,
  );

const permit = "permit(principal, action, resource)";
const forbid = "forbid(principal, action, resource)";
const small = "context.arguments has amount_cents && context.arguments.amount_cents < 100";

describe("without knowing the arguments, a tool", () => {
  it("is not there where no policy permits it or one forbids it", () => {
    expect(couldAllow("")).toBe(false);
    expect(couldAllow(`${permit}; ${forbid};`)).toBe(false);
    expect(couldAllow(`${permit} when { principal in Group::"auditors" };`)).toBe(false);
    expect(couldAllow(`${permit} when { ${small} } when { principal in Group::"auditors" };`)).toBe(false);
    expect(couldAllow(`${permit}; ${forbid} when { context.now.weekday == "monday" };`)).toBe(false);
  });

  it("is there where some arguments would be permitted", () => {
    expect(couldAllow(`${permit} when { ${small} };`)).toBe(true);
    expect(couldAllow(`${permit} unless { context has arguments };`)).toBe(true);
  });

  it("is there where only some arguments are forbidden", () => {
    expect(couldAllow(`${permit}; ${forbid} unless { ${small} };`)).toBe(true);
  });

  it("is there where a policy fails without arguments", () => {
    expect(couldAllow(`${permit} when { context.arguments.amount_cents < 100 };`)).toBe(true);
    expect(couldAllow(`${permit}; ${forbid} when { context.arguments.amount_cents > 100 };`)).toBe(true);
  });
});
