import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { checkPolicies } from "./index.js";

const read = (file: string) => readFileSync(new URL(`../../../policies/${file}`, import.meta.url), "utf8");
const schema = read("schema.cedarschema");
const check = (text: string, endpoints?: string[]) =>
  checkPolicies({ policies: [{ file: "a.cedar", text }], schema, ...(endpoints ? { endpoints } : {}) });

describe("checking policies", () => {
  it("finds nothing wrong with the policies of this repository", () => {
    const policies = ["payments.cedar", "gateway.cedar"].map((file) => ({ file, text: read(file) }));
    expect(checkPolicies({ policies, schema, endpoints: ["payments"] })).toEqual([]);
  });

  it("names file and line of a misspelt argument and suggests the right one", () => {
    const text = `// ein Überblick\npermit(principal, action == Action::"call", resource)\nwhen { context.arguments.amount_cent < 5 };`;
    expect(check(text)).toEqual([
      {
        file: "a.cedar",
        line: 3,
        message: 'attribute `arguments.amount_cent` in context for Action::"call" not found',
        fix: "did you mean `amount_cents`?",
      },
    ]);
  });

  it("refuses an argument that is used without asking whether it is there", () => {
    const problems = check(
      `permit(principal, action == Action::"call", resource) when { context.arguments.amount_cents < 5 };`,
    );
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toContain("amount_cents");
  });

  it("reports what is wrong in every file at once", () => {
    const problems = checkPolicies({
      policies: [
        { file: "a.cedar", text: "permit(principal, action, resouce);" },
        { file: "b.cedar", text: `permit(principal, action == Action::"cal", resource);` },
        { file: "c.cedar", text: `permit(principal == ?principal, action, resource);` },
        { file: "d.cedar", text: `@id("x") permit(principal, action, resource);` },
        { file: "e.cedar", text: `@id("x") permit(principal, action, resource);` },
      ],
      schema,
    });
    expect(new Set(problems.map(({ file }) => file))).toEqual(
      new Set(["a.cedar", "b.cedar", "c.cedar", "e.cedar"]),
    );
    for (const { message, fix } of problems) expect([message, fix]).not.toContain("");
  });

  it("takes a policy that can never apply for a mistake", () => {
    expect(
      check(`permit(principal, action == Action::"call", resource == Endpoint::"payments");`),
    ).not.toEqual([]);
  });

  it("finds endpoints that do not exist, also in the names of tools", () => {
    const text = `permit(principal, action == Action::"call", resource in Endpoint::"paymets");
forbid(principal, action, resource == Tool::"paymnts/refund");
permit(principal, action == Action::"search", resource in Gateway::"contersign");`;
    expect(check(text, ["payments", "crm"])).toMatchObject([
      { line: 1, fix: `Write "payments".` },
      { line: 2, fix: `Write "payments".` },
      { line: 3, fix: `Write "countersign".` },
    ]);
  });

  it("takes a schema with the length of a session and one from before, but no policy about it without", () => {
    const policies = [
      {
        file: "a.cedar",
        text: `forbid(principal, action == Action::"openSession", resource) when { context.minutes > 60 };
permit(principal, action == Action::"openSessionUnattended", resource) when { context.minutes <= 15 };`,
      },
    ];
    const older = schema.replace(/^\s*minutes: Long,.*\n/gm, "");
    expect(older).not.toContain("minutes: Long");
    expect(checkPolicies({ policies, schema })).toEqual([]);
    expect(checkPolicies({ policies: [], schema: older })).toEqual([]);
    expect(checkPolicies({ policies, schema: older })).toMatchObject([
      { file: "a.cedar", line: 1 },
      { file: "a.cedar", line: 2 },
    ]);
    const wrong = schema.replaceAll("minutes: Long", "minutes: String");
    for (const action of ["openSession", "openSessionUnattended"])
      expect(checkPolicies({ policies: [], schema: wrong })).toContainEqual(
        expect.objectContaining({
          file: "schema.cedarschema",
          message: expect.stringContaining(`\`${action}\` request does not fit`),
        }),
      );
  });

  it("refuses a schema that does not fit what the gateway asks", () => {
    const mandatory = schema.replace("amount_cents?: Long", "amount_cents: Long");
    const withoutHour = schema.replace("hour: Long, ", "");
    const withoutArguments = schema.replaceAll("Arguments", "Other");
    const broken = `${schema} entity`;
    for (const wrong of [mandatory, withoutHour, withoutArguments, broken]) {
      expect(wrong).not.toBe(schema);
      expect(checkPolicies({ policies: [], schema: wrong })).toContainEqual(
        expect.objectContaining({ file: "schema.cedarschema" }),
      );
    }
  });
});
