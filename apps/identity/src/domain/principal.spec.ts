import { authentication, principal } from "@countersign/contracts";
import { describe, expect, it } from "vitest";
import { authenticationOf, principalOf } from "./principal.js";

const about = { kind: "human", provider: "company", subject: "a", groups: [] } as const;

describe("a principal", () => {
  it("is named by its provider and subject, so that two providers never share one", () => {
    expect(principalOf(about)).toEqual({ id: "company:a", kind: "human", groups: [] });
  });

  it("has each group once, and no name that is none", () => {
    expect(principalOf({ ...about, groups: ["x", "y", "x"], name: 7, email: "" })).toEqual({
      id: "company:a",
      kind: "human",
      groups: ["x", "y"],
    });
  });

  it("fits its contract", () => {
    const made = principalOf({ ...about, name: "A".repeat(999), email: "a@example.com" });
    expect(principal.parse(made).name).toHaveLength(320);
  });
});

describe("an authentication", () => {
  it("says only what the provider stated, in the form it should have", () => {
    expect(authenticationOf("company", { amr: "mfa", acr: 1, auth_time: "now" })).toEqual({
      provider: "company",
    });
    const stated = authenticationOf("company", { amr: ["otp", 1], acr: "aal2", auth_time: 1_795_000_000 });
    expect(authentication.parse(stated)).toEqual({
      provider: "company",
      amr: ["otp"],
      acr: "aal2",
      authTime: "2026-11-18T11:06:40.000Z",
    });
  });

  it.each([
    ["one factor", { amr: ["pwd"] }, undefined],
    ["a context that nobody declared", { acr: "gold" }, undefined],
    ["several factors", { amr: ["pwd", "mfa"] }, true],
    ["a context that is declared to mean several", { acr: "aal2" }, true],
  ])("counts %s as it is", (_, claims, mfa) => {
    expect(authenticationOf("company", claims, ["aal2"]).mfa).toBe(mfa);
  });
});
