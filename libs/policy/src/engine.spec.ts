import { readFileSync } from "node:fs";
import type { Principal } from "@countersign/contracts";
import { describe, expect, it } from "vitest";
import { checkPolicies, PolicyBundleRefused, PolicyEngine, type PolicyRequest } from "./index.js";

const schema = readFileSync(new URL("../../../policies/schema.cedarschema", import.meta.url), "utf8");
const engineOf = (text: string) =>
  new PolicyEngine({ version: "1", policies: [{ file: "test.cedar", text }], schema });

const now = new Date("2026-11-23T21:00:00.000Z"); // a Monday
const engineer: Principal = { id: "acme:ada", kind: "human", groups: ["payments-engineers"] };
const robot: Principal = { ...engineer, id: "ci:deploy", kind: "workload" };
const client = { id: "client" };
const refund = (callArguments: unknown) =>
  ({
    action: "call",
    principal: engineer,
    endpoint: "payments",
    operation: { kind: "tool", name: "refund" },
    arguments: callArguments,
    client,
  }) satisfies PolicyRequest;

describe("a policy engine", () => {
  it("denies what no policy permits", () => {
    expect(engineOf("").decide(refund({}), now)).toEqual({ allowed: false, policies: [], errors: [] });
  });

  it("lets a forbid beat a permit and names both kinds of policies by id or place", () => {
    const permit = `permit(principal, action, resource);`;
    const forbid = `@id("no-refunds") forbid(principal, action, resource == Tool::"payments/refund");`;
    expect(engineOf(permit).decide(refund({}), now)).toEqual({
      allowed: true,
      policies: ["test.cedar#1"],
      errors: [],
    });
    expect(engineOf(permit + forbid).decide(refund({}), now)).toEqual({
      allowed: false,
      policies: ["no-refunds"],
      errors: [],
    });
  });

  it("allows nothing where a forbid fails to evaluate", () => {
    const engine = engineOf(`
      permit(principal, action, resource);
      @id("limit") forbid(principal, action, resource) when { context.arguments.amount_cents > 10000 };`);
    expect(engine.decide(refund({ amount_cents: 1 }), now).allowed).toBe(true);
    expect(engine.decide(refund({}), now)).toEqual({
      allowed: false,
      policies: ["test.cedar#1"],
      errors: [`policy "limit" could not be evaluated`],
    });
  });

  it.each([
    ["a text", "20000"],
    ["a fraction", 20000.5],
    ["a number beyond exact integers", 2 ** 53],
    ["not a finite number", Number.POSITIVE_INFINITY],
    ["an entity in disguise", { __entity: { type: "User", id: "x" } }],
    ["an extension value in disguise", { __extn: { fn: "decimal", arg: "1.0" } }],
    ["a list", [20000]],
  ])("refuses a declared argument that is %s, and does not repeat it", (_, amount) => {
    const engine = engineOf(`
      permit(principal, action, resource);
      forbid(principal, action, resource) when { context.arguments has amount_cents && context.arguments.amount_cents > 10000 };`);
    const decision = engine.decide(refund({ amount_cents: amount }), now);
    expect(decision.allowed).toBe(false);
    expect(decision.errors).toEqual(["arguments.amount_cents must be an integer of at most 2^53 - 1"]);
  });

  it.each([
    ["a list", []],
    ["a text", "x"],
    ["a number", 1],
  ])("refuses arguments that are %s", (_, given) => {
    expect(engineOf("permit(principal, action, resource);").decide(refund(given), now).allowed).toBe(false);
  });

  it("ignores arguments that the schema does not declare, however strange they are", () => {
    const deep = JSON.parse(`${"[".repeat(5000)}${"]".repeat(5000)}`) as unknown;
    const engine = engineOf("permit(principal, action, resource);");
    const strange = {
      deep,
      __entity: { type: "User", id: "x" },
      __proto__: { amount_cents: "x" },
      big: 1e300,
    };
    expect(engine.decide(refund(strange), now).allowed).toBe(true);
  });

  it("takes null for absent, as JSON senders mean it", () => {
    const engine = engineOf(
      `permit(principal, action, resource) unless { context.arguments has amount_cents };`,
    );
    expect(engine.decide(refund({ amount_cents: null }), now).allowed).toBe(true);
    expect(engine.decide(refund({ amount_cents: 1 }), now).allowed).toBe(false);
  });

  it("lets no workload approve, even where its group may", () => {
    const engine = engineOf(`permit(principal, action == Action::"approve", resource);`);
    const request = (principal: Principal): PolicyRequest => ({
      action: "approve",
      principal,
      endpoint: "payments",
      tool: "refund",
      requester: { id: "acme:eve", kind: "human", groups: [] },
    });
    expect(engine.decide(request(robot), now).allowed).toBe(false);
    expect(engine.decide(request(engineer), now).allowed).toBe(true);
  });

  it("keeps a tool of one endpoint apart from the same name on another", () => {
    const engine = engineOf(`permit(principal, action, resource == Tool::"payments/refund");`);
    expect(engine.decide({ ...refund({}), endpoint: "pay" }, now).allowed).toBe(false);
    expect(
      engine.decide(
        {
          ...refund({}),
          endpoint: "pay",
          operation: { kind: "tool", name: "ments/refund" },
        },
        now,
      ).allowed,
    ).toBe(false);
  });

  it("knows the hour, the weekday and the instant in UTC", () => {
    const engine = engineOf(`
      permit(principal, action, resource) when {
        context.now.weekday == "monday" && context.now.hour == 21 &&
        context.now.time.offset(duration("3h")).toDate() == datetime("2026-11-24") };`);
    expect(engine.decide(refund({}), now).allowed).toBe(true);
    expect(engine.decide(refund({}), new Date("2026-11-23T20:59:59.999Z")).allowed).toBe(false);
  });

  it("sees the tool's annotations, the client and how the person logged in", () => {
    const engine = engineOf(`
      permit(principal, action == Action::"call", resource is Tool) when { resource has readOnly && resource.readOnly && context.client.id == "client" };
      permit(principal, action == Action::"openSession", resource) when { context.authentication.amr.contains("mfa") };`);
    const annotated = (readOnlyHint: boolean): PolicyRequest => ({
      ...refund({}),
      operation: { kind: "tool", name: "refund", annotations: { readOnlyHint } },
    });
    expect(engine.decide(annotated(true), now).allowed).toBe(true);
    expect(engine.decide(annotated(false), now).allowed).toBe(false);
    const open = (amr?: string[]): PolicyRequest => ({
      action: "openSession",
      principal: engineer,
      endpoint: "payments",
      client,
      justification: "incident 4711",
      authentication: { provider: "acme", ...(amr ? { amr } : {}) },
      durationSeconds: 1_800,
    });
    expect(engine.decide(open(["pwd", "mfa"]), now).allowed).toBe(true);
    expect(engine.decide(open(), now).allowed).toBe(false);
  });

  const opening = {
    principal: engineer,
    endpoint: "payments",
    client,
    justification: "j",
    authentication: { provider: "acme" },
    durationSeconds: 1_800,
  };
  const openOnly = `permit(principal, action == Action::"openSession", resource);`;

  it("has a session wait that may be opened, but not alone", () => {
    const engine = engineOf(openOnly);
    expect(engine.decide({ action: "openSession", ...opening }, now).allowed).toBe(true);
    expect(engine.decide({ action: "openSessionUnattended", ...opening }, now).allowed).toBe(false);
  });

  it("asks nobody where the schema is from before sessions could wait", () => {
    const older = schema.replace(/action openSessionUnattended appliesTo \{[^}]*\{[^}]*\}[^}]*\};/, "");
    const engine = new PolicyEngine({
      version: "1",
      policies: [{ file: "a.cedar", text: openOnly }],
      schema: older,
    });
    expect(older).not.toContain("action openSessionUnattended");
    expect(engine.decide({ action: "openSessionUnattended", ...opening }, now).allowed).toBe(true);
    const none = new PolicyEngine({ version: "1", policies: [], schema: older });
    expect(none.decide({ action: "openSessionUnattended", ...opening }, now).allowed).toBe(false);
    expect(checkPolicies({ policies: [{ file: "a.cedar", text: openOnly }], schema: older })).toEqual([]);
    const newer = openOnly.replace("openSession", "openSessionUnattended");
    expect(checkPolicies({ policies: [{ file: "a.cedar", text: newer }], schema: older })).not.toEqual([]);
  });

  const byLength = `
    permit(principal, action == Action::"openSession", resource);
    @id("long") forbid(principal, action == Action::"openSession", resource)
      when { context.minutes > 60 } unless { principal in Group::"oncall" };
    permit(principal, action == Action::"openSessionUnattended", resource) when { context.minutes <= 15 };`;
  const opened =
    (engine: PolicyEngine) =>
    (action: "openSession" | "openSessionUnattended", durationSeconds?: number, principal = engineer) =>
      engine.decide({ ...opening, action, durationSeconds, principal }, now);

  it("limits how long a session may be, in whole minutes rounded up, and lets short ones begin alone", () => {
    const open = opened(engineOf(byLength));
    expect(open("openSession", 3_601)).toMatchObject({ allowed: false, policies: ["long"], errors: [] });
    expect(open("openSession", 3_600).allowed).toBe(true);
    expect(open("openSession", 3_601, { ...engineer, groups: ["oncall"] }).allowed).toBe(true);
    expect(open("openSessionUnattended", 901).allowed).toBe(false);
    expect(open("openSessionUnattended", 900).allowed).toBe(true);
    expect(open("openSessionUnattended", 1).allowed).toBe(true);
  });

  it("allows nothing by a policy about the length where nobody knows it", () => {
    const open = opened(engineOf(byLength));
    expect(open("openSession")).toMatchObject({
      allowed: false,
      errors: ['policy "long" could not be evaluated'],
    });
    expect(open("openSessionUnattended").allowed).toBe(false);
  });

  it("keeps the length from policies whose schema does not declare it, and their decisions as they were", () => {
    const older = schema.replace(/^\s*minutes: Long,.*\n/gm, "");
    expect(older).not.toContain("minutes: Long");
    const text = `permit(principal, action in [Action::"openSession", Action::"openSessionUnattended"], resource)
      unless { context has minutes };`;
    const policies = [{ file: "a.cedar", text }];
    const open = opened(new PolicyEngine({ version: "1", policies, schema: older }));
    for (const action of ["openSession", "openSessionUnattended"] as const)
      expect(open(action, 60)).toMatchObject({ allowed: true, errors: [] });
    const openNow = opened(engineOf(text));
    expect(openNow("openSession", 60).allowed).toBe(false);
  });

  it("tells each action the length that its own schema declares, by the name of a common type, too", () => {
    const context = /context: \{\s*client: Client,\s*minutes: Long,[^}]*\}/;
    const once = schema.replace(/(action openSessionUnattended[\s\S]*?) +minutes: Long,.*\n/, "$1");
    expect(once).not.toBe(schema);
    const named = `type Asked = ${context.exec(schema)?.[0].replace("context: ", "")};\n${schema.replaceAll(new RegExp(context, "g"), "context: Asked")}`;
    const text = `permit(principal, action in [Action::"openSession", Action::"openSessionUnattended"], resource)
      when { context has minutes };`;
    const openOf = (schema: string) =>
      opened(new PolicyEngine({ version: "1", policies: [{ file: "a.cedar", text }], schema }));
    expect(openOf(once)("openSession", 60).allowed).toBe(true);
    expect(openOf(once)("openSessionUnattended", 60).allowed).toBe(false);
    expect(named).toContain("context: Asked");
    expect(openOf(named)("openSession", 60).allowed).toBe(true);
    expect(openOf(named)("openSessionUnattended", 60).allowed).toBe(true);
  });

  it("keeps two bundles apart that bear one version", () => {
    const open = engineOf("permit(principal, action, resource);");
    const shut = engineOf("forbid(principal, action, resource);");
    expect(open.decide(refund({}), now).allowed).toBe(true);
    expect(shut.decide(refund({}), now).allowed).toBe(false);
  });

  it("counts more than ten policies of a file in the order in which they are written", () => {
    const text = Array.from(
      { length: 12 },
      (_, index) => `permit(principal, action, resource == Tool::"payments/${index + 1}");`,
    ).join("\n");
    for (const place of [2, 3, 10, 12])
      expect(
        engineOf(text).decide({ ...refund({}), operation: { kind: "tool", name: `${place}` } }, now).policies,
      ).toEqual([`test.cedar#${place}`]);
  });

  it.each([
    ["a policy that does not parse", "permit(principal);"],
    [
      "two policies of one name",
      `@id("a") permit(principal, action, resource); @id("a") forbid(principal, action, resource);`,
    ],
    ["a template", "permit(principal == ?principal, action, resource);"],
  ])("refuses a bundle with %s", (_, text) => {
    expect(() => engineOf(text)).toThrow(PolicyBundleRefused);
  });

  it("loses no policy whose id is a word of JavaScript", () => {
    const engine = engineOf(
      `permit(principal, action, resource); @id("__proto__") forbid(principal, action, resource);`,
    );
    expect(engine.decide(refund({}), now).allowed).toBe(false);
  });

  it("says which arguments its policies may look at", () => {
    expect(engineOf("").argumentNames).toContain("amount_cents");
  });
});
