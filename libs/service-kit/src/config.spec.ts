import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ConfigInvalid, parseConfig, postgresConfig, serviceConfig } from "./config.js";

const schema = serviceConfig.extend(postgresConfig.shape);
const env = {
  PORT: "8082",
  KAFKA_BROKERS: "127.0.0.1:9092,127.0.0.1:9093",
  GATEWAY_URL: "http://127.0.0.1:8080",
  ISSUER_URL: "http://127.0.0.1:8081",
  DATABASE_URL: "postgres://role:secret@127.0.0.1/countersign",
};

const problemsOf = (changed: NodeJS.ProcessEnv): string => {
  try {
    parseConfig("session-broker", schema, changed);
    return "";
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigInvalid);
    return (error as Error).message;
  }
};

describe("a service's configuration", () => {
  it("names everything that is missing at once, and what to do", () => {
    const message = problemsOf({});
    for (const name of ["PORT", "KAFKA_BROKERS", "GATEWAY_URL", "ISSUER_URL", "DATABASE_URL"]) {
      expect(message).toContain(`  ${name}: `);
    }
    expect(message).toContain("set these environment variables and start it again");
    expect(message).toContain(
      "  ISSUER_URL: is not set. Public origin of identity, the authorization server.",
    );
    expect(message).toMatch(/^ {2}KAFKA_BROKERS: is not set\.$/m);
    expect(problemsOf({ ...env, PORT: "x" })).not.toContain("is not set");
  });

  it("never shows a value", () => {
    const canary = "hunter2-4111111111111111";
    const message = problemsOf(
      Object.fromEntries(Object.keys(env).map((name) => [name, `${canary} ${name}`])),
    );
    expect(message).toContain("DATABASE_URL");
    expect(message).not.toContain(canary);
  });

  it.each(["http://127.0.0.1:8080/", "http://127.0.0.1:8080/path", "127.0.0.1:8080"])(
    "refuses %s where an origin is asked for",
    (url) => {
      expect(problemsOf({ ...env, GATEWAY_URL: url })).toContain("GATEWAY_URL");
    },
  );

  it("says that a file cannot be read", () => {
    const { DATABASE_URL: _, ...rest } = env;
    expect(problemsOf({ ...rest, DATABASE_URL_FILE: "/nowhere/at/all" })).toContain(
      "DATABASE_URL_FILE: the file cannot be read",
    );
  });

  it("takes a value from a file, where the variable itself is not set", () => {
    const file = join(mkdtempSync(join(tmpdir(), "config-")), "url");
    writeFileSync(file, "postgres://from-file/countersign\n");
    const { DATABASE_URL: _, ...rest } = env;
    expect(parseConfig("x", schema, { ...rest, DATABASE_URL_FILE: file }).DATABASE_URL).toBe(
      "postgres://from-file/countersign",
    );
    expect(parseConfig("x", schema, { ...env, DATABASE_URL_FILE: file }).DATABASE_URL).toBe(env.DATABASE_URL);
  });

  it("listens on this machine alone unless told otherwise", () => {
    expect(parseConfig("x", schema, env)).toMatchObject({
      HOST: "127.0.0.1",
      PORT: 8082,
      KAFKA_BROKERS: ["127.0.0.1:9092", "127.0.0.1:9093"],
    });
  });
});
