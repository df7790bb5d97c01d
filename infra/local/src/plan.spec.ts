import { describe, expect, it } from "vitest";
import { defaultPorts, portsFrom } from "./plan.js";

describe("ports", () => {
  it.each(["abc", "80", "-1", "65530", "8080.5"])("cannot begin at %s", (base) => {
    expect(() => portsFrom({ COUNTERSIGN_PORT_BASE: base })).toThrow("COUNTERSIGN_PORT_BASE must be");
  });

  it("are the usual ones unless told otherwise", () => {
    expect(portsFrom({})).toBe(defaultPorts);
  });

  it("follow one another from the base on", () => {
    expect(portsFrom({ COUNTERSIGN_PORT_BASE: "18080" })).toEqual({
      proxy: 18_080,
      identity: 18_081,
      "session-broker": 18_082,
      approval: 18_083,
      masking: 18_084,
      audit: 18_085,
      "dev-idp": 18_086,
      payments: 18_087,
      kafka: 18_088,
      "kafka-controller": 18_089,
      postgres: 18_090,
    });
  });
});
