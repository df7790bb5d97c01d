import { readFileSync } from "node:fs";
import { PolicyEngine } from "@countersign/policy";
import { describe, expect, it } from "vitest";
import { permittedTools } from "./permitted-tools.js";

const file = (name: string) => readFileSync(new URL(`../../../../policies/${name}`, import.meta.url), "utf8");
const policies = [{ file: "payments.cedar", text: file("payments.cedar") }];
const engine = new PolicyEngine({ version: "1", policies, schema: file("schema.cedarschema") });

const toolsOf = (groups: string[], kind: "human" | "workload" = "human", endpoint = "payments") =>
  permittedTools({
    couldAllow: (request) => engine.couldAllow(request, new Date("2026-11-23T10:00:00Z")),
    policies,
    endpoint,
    principal: { id: "company:a", kind, groups },
    client: { id: "c" },
  });

describe("the tools that a session is for", () => {
  it("are those that policies name and permit, never those that they forbid", () => {
    const { alone, afterApproval } = toolsOf(["payments-engineers"]);
    expect([...alone, ...afterApproval].toSorted()).toEqual([
      "get_transaction",
      "query_customers",
      "refund",
      "slow_report",
    ]);
    expect(alone).toContain("refund");
  });

  it("are none for others, and none of another endpoint", () => {
    const none = { alone: [], afterApproval: [] };
    expect(toolsOf(["auditors"])).toEqual(none);
    expect(toolsOf(["payments-engineers"], "human", "crm")).toEqual(none);
    expect(toolsOf(["payments-ci"], "workload")).toEqual({ alone: ["get_transaction"], afterApproval: [] });
  });
});
