import { ConfigInvalid, parseConfig } from "@countersign/service-kit";
import { describe, expect, it } from "vitest";
import { maskingConfig, transitToken } from "./config.js";

const env = {
  KAFKA_BROKERS: "127.0.0.1:9092",
  DATABASE_URL: "postgres://masking@127.0.0.1/masking",
  GATEWAY_URL: "http://127.0.0.1:8080",
  ISSUER_URL: "http://127.0.0.1:8081",
};
const transit = {
  VAULT_TRANSIT_URL: "https://vault.example:8200",
  VAULT_TRANSIT_KEY: "originals",
  VAULT_TRANSIT_TOKEN_FILE: "/run/vault/token",
};
const parse = (given: Record<string, string>) => parseConfig("masking", maskingConfig, { ...env, ...given });
function problems(given: Record<string, string>): string[] {
  try {
    parse(given);
  } catch (error) {
    if (error instanceof ConfigInvalid) return error.message.split("\n").slice(1);
    throw error;
  }
  return [];
}

describe("where the vault's keys are", () => {
  it("has to be said", () => {
    expect(problems({})).toEqual([expect.stringMatching(/VAULT_KEYS_FILE: is not set.*VAULT_TRANSIT_URL/)]);
  });

  it("is said as a whole, and what is missing is named along with all else that is wrong", () => {
    expect(problems({ VAULT_TRANSIT_KEY: "originals", KAFKA_BROKERS: "", PORT: "x" })).toEqual([
      expect.stringContaining("PORT: "),
      expect.stringContaining("KAFKA_BROKERS: "),
      expect.stringContaining("VAULT_TRANSIT_URL: is not set"),
      expect.stringContaining("VAULT_TRANSIT_TOKEN_FILE: is not set"),
    ]);
  });

  it.each([
    ["VAULT_TRANSIT_URL", "http://vault.example:8200"],
    ["VAULT_TRANSIT_URL", "vault"],
    ["VAULT_TRANSIT_KEY", "../../sys/seal"],
    ["VAULT_TRANSIT_KEY", ".."],
    ["VAULT_TRANSIT_MOUNT", "transit/"],
    ["VAULT_TRANSIT_MOUNT", "a/../b"],
  ])("is not %s %s", (name, value) => {
    expect(problems({ ...transit, [name]: value })).toContainEqual(expect.stringContaining(`${name}: `));
  });

  it("may be HashiCorp Vault, a file, or both", () => {
    expect(parse(transit)).toMatchObject({ ...transit, VAULT_TRANSIT_MOUNT: "transit" });
    expect(parse({ VAULT_KEYS_FILE: "keys.json" })).toMatchObject({ VAULT_KEYS_FILE: "keys.json" });
    expect(parse({ ...transit, VAULT_KEYS_FILE: "keys.json" })).toMatchObject(transit);
    expect(problems({ ...transit, VAULT_TRANSIT_URL: "http://127.0.0.1:8200" })).toEqual([]);
  });

  it("needs a token that can be read", () => {
    expect(() => transitToken("/nowhere/token")).toThrow(
      expect.objectContaining({ code: "vault_token_missing" }) as Error,
    );
  });
});
