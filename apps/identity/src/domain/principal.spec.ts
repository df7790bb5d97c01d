import { authentication, principal } from "@countersign/contracts";
import { describe, expect, it } from "vitest";
import { authenticationOf, principalOf } from "./principal.js";

const of = (claims: Record<string, unknown>, groupsClaim = "groups") =>
  principalOf({ kind: "human", provider: "company", claims, groupsClaim });

describe("a principal", () => {
  it.each([
    ["nothing", {}],
    ["null", { groups: null }],
    ["a number", { groups: 7 }],
    ["an object", { groups: { admin: true } }],
    ["a list of other things", { groups: [1, null, "", { name: "administrators" }] }],
    ["another claim", { roles: ["administrators"] }],
  ])("has no groups where the provider states %s", (_, claims) => {
    expect(of({ sub: "a", ...claims }).groups).toEqual([]);
  });

  it("is named by its provider and subject, so that two providers never share one", () => {
    expect(of({ sub: "a" })).toEqual({ id: "company:a", kind: "human", groups: [] });
  });

  it("has the groups of the configured claim, each once, and not without bound", () => {
    expect(of({ sub: "a", roles: ["x", "y", "x"] }, "roles").groups).toEqual(["x", "y"]);
    expect(of({ sub: "a", groups: "single" }).groups).toEqual(["single"]);
    expect(of({ sub: "a", groups: Array.from({ length: 999 }, (_, i) => `g${i}`) }).groups).toHaveLength(200);
  });

  it("has the groups that its issuer always has", () => {
    const options = {
      kind: "workload",
      provider: "ci",
      claims: { sub: "a" },
      groupsClaim: "groups",
    } as const;
    expect(principalOf({ ...options, groupsAlways: ["ci"] }).groups).toEqual(["ci"]);
  });

  it("fits its contract", () => {
    const claims = { sub: "a", name: "A".repeat(999), email: "a@example.com" };
    expect(principal.parse(of(claims)).name).toHaveLength(320);
  });
});

describe("an authentication", () => {
  it("says only what the provider stated, in the form it should have", () => {
    expect(authenticationOf("company", { amr: "pwd", acr: 1, auth_time: "now" })).toEqual({
      provider: "company",
    });
    const stated = authenticationOf("company", { amr: ["mfa", 1], acr: "aal2", auth_time: 1_795_000_000 });
    expect(authentication.parse(stated)).toEqual({
      provider: "company",
      amr: ["mfa"],
      acr: "aal2",
      authTime: "2026-11-18T11:06:40.000Z",
    });
  });
});
