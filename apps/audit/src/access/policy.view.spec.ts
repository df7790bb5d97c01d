import { readFileSync } from "node:fs";
import type { Principal } from "@countersign/contracts";
import { createLogger } from "@countersign/service-kit";
import { expect, it } from "vitest";
import { PolicyView } from "./policy.view.js";

const schema = readFileSync(new URL("../../../../policies/schema.cedarschema", import.meta.url), "utf8");
const bundle = (text: string) => ({
  version: "1",
  publishedAt: "2026-03-01T10:00:00.000Z",
  endpoints: [],
  policies: [{ file: "test.cedar", text }],
  schema,
});
const iris: Principal = { id: "company:iris", kind: "human", groups: ["auditors"] };
const viewOf = (...texts: string[]): PolicyView => {
  const view = new PolicyView(createLogger("audit", "silent"));
  for (const text of texts) view.take(bundle(text));
  return view;
};

const onPayments = `@id("a") permit (principal in Group::"auditors", action == Action::"search", resource == Endpoint::"payments");`;
const everywhere = `@id("a") permit (principal in Group::"auditors", action == Action::"search", resource);`;

it("nobody searches before there is a bundle, nor after one that cannot be read", () => {
  expect(viewOf().maySearch(iris)).toBe(false);
  expect(viewOf(everywhere).maySearch(iris)).toBe(true);
  expect(viewOf(everywhere, "permit (").maySearch(iris)).toBe(false);
});

it("an auditor of one endpoint searches what is about that endpoint and nothing else", () => {
  const view = viewOf(onPayments);
  expect(view.maySearch(iris, "payments")).toBe(true);
  expect(view.maySearch(iris, "ledger")).toBe(false);
  expect(view.maySearch(iris)).toBe(false);
  expect(view.maySearch({ ...iris, groups: [] }, "payments")).toBe(false);
});

it("a policy that forbids one endpoint beats one that permits everything", () => {
  const but = `${everywhere} @id("b") forbid (principal, action == Action::"search", resource == Endpoint::"ledger");`;
  const view = viewOf(but);
  expect(view.maySearch(iris, "payments")).toBe(true);
  expect(view.maySearch(iris, "ledger")).toBe(false);
});
