import { describe, expect, it } from "vitest";
import { javaCommand, javaVersionOf } from "./java.js";

describe("Java", () => {
  it.each([
    ["", undefined],
    ["bash: java: command not found", undefined],
    ['java version "1.8.0_392"', 8],
    ['openjdk version "11.0.22" 2024-01-16', 11],
    ['openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime Environment', 17],
    ['openjdk version "25-ea" 2025-09-16', 25],
  ])("that says %j is version %s", (output, version) => {
    expect(javaVersionOf(output)).toBe(version);
  });

  it("is taken from JAVA_HOME before the search path", () => {
    expect([javaCommand({ JAVA_HOME: "/jdk" }), javaCommand({ JAVA_HOME: "" })]).toEqual([
      "/jdk/bin/java",
      "java",
    ]);
  });
});
