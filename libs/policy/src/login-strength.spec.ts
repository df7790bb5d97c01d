import type { Authentication, Endpoint } from "@countersign/contracts";
import { describe, expect, it } from "vitest";
import { lackingIn } from "./index.js";

const now = new Date("2026-11-23T10:00:00.000Z");
const login = (authentication: Partial<Authentication>, kind: "human" | "workload" = "human") => ({
  principal: { kind },
  authentication: { provider: "company", ...authentication },
});
const asking = (session: Partial<Endpoint["session"]>) => ({
  session: { durationSecondsMax: 1, durationSecondsDefault: 1, idleSeconds: 1, ...session },
});
const strict = asking({ mfaRequired: true, authenticationAgeSecondsMax: 300 });
const at = (seconds: number) => new Date(now.getTime() + seconds * 1_000).toISOString();

describe("the strength of a login", () => {
  it("lacks factors before anything else, and what is not said counts as no", () => {
    expect(lackingIn(login({}), strict, now)).toBe("factors");
    expect(lackingIn(login({ amr: ["mfa"], authTime: at(0) }), strict, now)).toBe("factors");
  });

  it("lacks a time, or recency, to the second", () => {
    expect(lackingIn(login({ mfa: true }), strict, now)).toBe("time");
    expect(lackingIn(login({ mfa: true, authTime: at(-301) }), strict, now)).toBe("recency");
    expect(lackingIn(login({ mfa: true, authTime: at(-300) }), strict, now)).toBeUndefined();
  });

  it("is not asked of machines, nor where the endpoint does not ask", () => {
    expect(lackingIn(login({}, "workload"), strict, now)).toBeUndefined();
    expect(lackingIn(login({}), asking({}), now)).toBeUndefined();
  });
});
