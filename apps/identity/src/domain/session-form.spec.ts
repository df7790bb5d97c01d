import { describe, expect, it } from "vitest";
import { ledger, payments } from "../testing/endpoints.fixture.js";
import { durationsFor, justificationProblem, readSessionForm } from "./session-form.js";

describe("a request for a session", () => {
  it.each([
    ["nothing", undefined],
    ["blanks", " \n\t "],
    ["something that is no text", ["a"]],
    ["too much", "a".repeat(2_001)],
    ["a card number", "refund 4111111111111111"],
    ["a card number in groups", "refund 4111 1111 1111 1111"],
    ["a card number in full-width digits", "４１１１１１１１１１１１１１１１"],
  ])("is refused with %s as its justification", (_, justification) => {
    expect(justificationProblem(payments, justification)).toEqual(expect.any(String));
  });

  it.each([undefined, "", "0", "-1", "1800.5", "3601", "999999", "NaN", "1e9"])(
    "is refused for a duration that was not offered: %s",
    (duration) => {
      expect(readSessionForm(payments, { justification: "x", duration }).valid).toBe(false);
    },
  );

  it("is held to the endpoint's pattern, which the justification contains", () => {
    expect(justificationProblem(ledger, "because")).toContain("INC-");
    expect(justificationProblem(ledger, "see INC-42, please")).toBeUndefined();
  });

  it("that does not match is answered in the endpoint's own words, where it has any", () => {
    const hint = "Name the incident, such as INC-4711.";
    const worded = { ...ledger, session: { ...ledger.session, justificationHint: hint } };
    const problem = justificationProblem(worded, "because");
    expect(problem).toContain(hint);
    expect(problem).not.toContain("\\b");
    expect(justificationProblem(worded, "see INC-42")).toBeUndefined();
  });

  it("keeps the words as they were, without the blanks around them", () => {
    expect(readSessionForm(payments, { justification: "  ticket 1234567  ", duration: "1800" })).toEqual({
      valid: true,
      justification: "ticket 1234567",
      durationSeconds: 1_800,
    });
  });
});

describe("the durations to choose from", () => {
  it("never exceed the endpoint's maximum, and have its default", () => {
    expect(durationsFor(payments)).toEqual([300, 900, 1_800, 3_600]);
    const odd = {
      ...payments,
      session: { ...payments.session, durationSecondsMax: 100, durationSecondsDefault: 70 },
    };
    expect(durationsFor(odd)).toEqual([70, 100]);
  });
});
