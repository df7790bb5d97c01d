import { describe, expect, it } from "vitest";

import { BUILT_IN_POLICY } from "./built-in-policy.js";
import { policyFor } from "./policy-for.js";
import { scanJson } from "./scan.js";

const own = { panKeys: [], cvvKeys: [], trackKeys: [], pinKeys: [], contextWords: [], allow: [] };
const allowed = { pattern: "ORD-################", reason: "order numbers", expires: "2027-01-01" };
const policy = {
  ...BUILT_IN_POLICY,
  panKeys: ["konto"],
  endpoints: {
    orders: { ...own, panKeys: ["kunde"], allow: [allowed], requests: "refuse" as const },
    cards: { ...own, strictness: "strict" as const },
  },
};
const BROKEN = "4111111111111112";
const rulesAt = (endpoint: string, value: unknown) =>
  scanJson(JSON.stringify(value), { policy: policyFor(policy, endpoint), today: "2026-11-22" }).findings.map(
    ({ path, rule }) => `${path} ${rule}`,
  );

describe("the policy of an endpoint", () => {
  it("lets nothing through elsewhere that one endpoint allows", () => {
    const order = { ref: "ORD-4111111111111111" };
    expect(rulesAt("orders", order)).toEqual([]);
    for (const other of ["cards", "unknown", "constructor", "__proto__"]) {
      expect(rulesAt(other, order)).toEqual(["/ref pan.range"]);
    }
  });

  it("takes nothing away from the policy of all", () => {
    expect(rulesAt("orders", { konto: BROKEN, kunde: BROKEN })).toEqual(["/konto pan.key", "/kunde pan.key"]);
    expect(rulesAt("cards", { konto: BROKEN, kunde: BROKEN })).toEqual(["/konto pan.key"]);
  });

  it("says what becomes of requests and of content that cannot be searched", () => {
    expect(policyFor(policy, "orders")).toMatchObject({ requests: "refuse", opaque: "pass" });
    expect(policyFor(policy, "cards")).toMatchObject({ requests: "forward", opaque: "pass" });
  });

  it("is the same object each time, so that its keys are prepared once", () => {
    expect(policyFor(policy, "orders")).toBe(policyFor(policy, "orders"));
    expect(policyFor(policy, "unknown")).toBe(policy);
  });
});
