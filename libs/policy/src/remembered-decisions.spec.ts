import { readFileSync } from "node:fs";
import type { Principal } from "@countersign/contracts";
import { describe, expect, it } from "vitest";
import { PolicyEngine, type PolicyRequest } from "./index.js";
import { RememberedDecisions } from "./remembered-decisions.js";

const schema = readFileSync(new URL("../../../policies/schema.cedarschema", import.meta.url), "utf8");
const engineOf = (text: string) =>
  new PolicyEngine({ version: "1", policies: [{ file: "t.cedar", text }], schema });
const ada: Principal = { id: "acme:ada", kind: "human", groups: ["engineers"] };
const refund = (amount_cents: number, principal = ada) =>
  ({
    action: "call",
    principal,
    endpoint: "payments",
    operation: { kind: "tool", name: "refund" },
    arguments: { amount_cents },
    client: { id: "client" },
  }) satisfies PolicyRequest;

describe("remembered decisions", () => {
  it("are never those of another question", () => {
    const engine = engineOf(`permit(principal in Group::"engineers", action, resource)
      when { context.arguments has amount_cents && context.arguments.amount_cents <= 100 };`);
    for (let round = 0; round < 2; round += 1) {
      expect(engine.decide(refund(100)).allowed).toBe(true);
      expect(engine.decide(refund(101)).allowed).toBe(false);
      expect(engine.decide(refund(100, { ...ada, groups: [] })).allowed).toBe(false);
    }
  });

  it("are not kept where a policy asks for the time", () => {
    const engine = engineOf(`permit(principal, action, resource) when { context.now.hour < 12 };`);
    expect(engine.decide(refund(1), new Date("2026-11-23T11:59:59.999Z")).allowed).toBe(true);
    expect(engine.decide(refund(1), new Date("2026-11-23T12:00:00.000Z")).allowed).toBe(false);
  });

  it("are bounded, the oldest making room", () => {
    const decisions = new RememberedDecisions();
    const decision = { allowed: true, policies: [], errors: [] };
    for (let index = 0; index <= 10_000; index += 1) decisions.add(`q${index}`, decision);
    expect(decisions.get("q0")).toBeUndefined();
    expect(decisions.get("q1")).toBe(decision);
  });
});
