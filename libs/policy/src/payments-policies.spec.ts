import { readFileSync } from "node:fs";
import type { Principal } from "@countersign/contracts";
import { describe, expect, it } from "vitest";
import { type Operation, PolicyEngine } from "./index.js";

const read = (file: string) => readFileSync(new URL(`../../../policies/${file}`, import.meta.url), "utf8");
const engine = new PolicyEngine({
  version: "1",
  schema: read("schema.cedarschema"),
  policies: ["payments.cedar", "gateway.cedar"].map((file) => ({ file, text: read(file) })),
});

const now = new Date("2026-11-23T10:00:00.000Z");
const member = (id: string, ...groups: string[]): Principal => ({
  id: `company:${id}`,
  kind: "human",
  groups,
});
const ada = member("ada", "payments-engineers");
const grace = member("grace", "payments-leads");
const both = member("both", "payments-engineers", "payments-leads");
const auditor = member("auditor", "auditors");
const administrator = member("administrator", "administrators");
const client = { id: "client" };

const open = (
  principal: Principal,
  endpoint = "payments",
  action: "openSession" | "openSessionUnattended" = "openSession",
) =>
  engine.decide(
    {
      action,
      principal,
      endpoint,
      client,
      justification: "j",
      authentication: { provider: "company" },
      durationSeconds: 1_800,
    },
    now,
  );
const ask = (
  action: "call" | "callUnattended",
  principal: Principal,
  operation: Operation,
  callArguments?: unknown,
) =>
  engine.decide(
    { action, principal, endpoint: "payments", operation, arguments: callArguments, client },
    now,
  );
const approve = (principal: Principal, requester: Principal) =>
  engine.decide({ action: "approve", principal, endpoint: "payments", tool: "refund", requester }, now);
const tool = (name: string): Operation => ({ kind: "tool", name });

describe("the policies of the payments endpoint", () => {
  it("let nobody delete a customer, and say by which policy", () => {
    expect(ask("call", both, tool("delete_customer"))).toEqual({
      allowed: false,
      policies: ["payments-never-delete-customer"],
      errors: [],
    });
  });

  it("deny tools that nobody thought of, other methods, other endpoints and other people", () => {
    expect(ask("call", ada, tool("drop_tables")).allowed).toBe(false);
    expect(ask("call", ada, { kind: "method", name: "vendor/wipe" }).allowed).toBe(false);
    expect(open(ada, "crm").allowed).toBe(false);
    for (const other of [grace, auditor, administrator, member("mallory")]) {
      expect(open(other).allowed).toBe(false);
      expect(ask("call", other, tool("refund"), { amount_cents: 1 }).allowed).toBe(false);
    }
  });

  it("let an engineer open a session, read, and call what is listed", () => {
    expect(open(ada)).toEqual({ allowed: true, policies: ["payments-open-session"], errors: [] });
    for (const name of ["query_customers", "get_transaction", "slow_report"])
      for (const action of ["call", "callUnattended"] as const)
        expect(ask(action, ada, tool(name), {}).allowed).toBe(true);
    for (const operation of [
      { kind: "resource", uri: "payments://a" },
      { kind: "prompt", name: "summary" },
    ] as const)
      for (const action of ["call", "callUnattended"] as const)
        expect(ask(action, ada, operation).allowed).toBe(true);
  });

  it("have contractors wait for a lead, and nobody else", () => {
    const contractor = member("contractor", "payments-engineers", "payments-contractors");
    expect(open(contractor).allowed).toBe(true);
    expect(open(contractor, "payments", "openSessionUnattended")).toMatchObject({
      allowed: false,
      policies: ["payments-contractors-wait"],
    });
    expect(open(ada, "payments", "openSessionUnattended").allowed).toBe(true);
    const decide = (principal: Principal, tool: string) =>
      engine.decide({ action: "approve", principal, endpoint: "payments", tool, requester: contractor }, now);
    for (const tool of ["session:open", "session:extend"]) {
      expect(decide(grace, tool).allowed).toBe(true);
      for (const other of [ada, contractor, auditor, administrator])
        expect(decide(other, tool).allowed).toBe(false);
    }
  });

  it.each([
    [{ amount_cents: 10_000 }, true],
    [{ amount_cents: 10_001 }, false],
    [{ amount_cents: 0 }, false],
    [{ amount_cents: -5 }, false],
    [{ amount_cents: "5" }, false],
    [{ amount: 5 }, false],
    [{}, false],
  ])("of a refund of %j need nobody else: %s", (callArguments, unattended) => {
    expect(ask("callUnattended", ada, tool("refund"), callArguments).allowed).toBe(unattended);
  });

  it("let the pipeline look up transactions and nothing else, and no person in its name", () => {
    const ci: Principal = { id: "ci:deploy", kind: "workload", groups: ["payments-ci"] };
    expect(open(ci).allowed).toBe(true);
    expect(open(ci, "payments", "openSessionUnattended").allowed).toBe(true);
    expect(open({ ...ci, kind: "human" }).allowed).toBe(false);
    for (const action of ["call", "callUnattended"] as const) {
      expect(ask(action, ci, tool("get_transaction")).allowed).toBe(true);
      expect(ask(action, ci, tool("query_customers")).allowed).toBe(false);
      expect(ask(action, ci, tool("refund"), { amount_cents: 1 }).allowed).toBe(false);
      expect(ask(action, ci, { kind: "resource", uri: "payments://a" }).allowed).toBe(false);
    }
  });

  it("let a lead approve a call of somebody else and of nobody else", () => {
    expect(approve(grace, ada).allowed).toBe(true);
    expect(approve(both, ada).allowed).toBe(true);
    expect(approve(both, both).allowed).toBe(false);
    expect(approve(ada, grace).allowed).toBe(false);
    expect(approve(auditor, ada).allowed).toBe(false);
  });

  it("keep auditors, administrators and those who call tools apart", () => {
    const may = (action: "search" | "reveal" | "revealUnattended" | "administer", principal: Principal) =>
      engine.decide({ action, principal }, now).allowed;
    for (const [action, chosen] of [
      ["search", auditor],
      ["reveal", auditor],
      ["revealUnattended", auditor],
      ["administer", administrator],
    ] as const)
      for (const principal of [ada, grace, auditor, administrator])
        expect(may(action, principal)).toBe(principal === chosen);
    expect(engine.decide({ action: "reveal", principal: auditor, endpoint: "payments" }, now).allowed).toBe(
      true,
    );
  });
});
