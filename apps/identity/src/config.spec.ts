import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Configuration } from "@countersign/configuration";
import { parseConfig } from "@countersign/service-kit";
import { describe, expect, it } from "vitest";
import { identityConfig } from "./config.js";
import { requireReadable } from "./readable.js";

const folder = mkdtempSync(join(tmpdir(), "countersign-identity-config-"));
const put = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const env = {
  KAFKA_BROKERS: "127.0.0.1:9092",
  GATEWAY_URL: "http://127.0.0.1:8080",
  ISSUER_URL: "http://127.0.0.1:8081",
  DATABASE_URL: "postgres://127.0.0.1/x",
  COUNTERSIGN_CONFIG: put("countersign.yaml", ""),
  IDENTITY_KEYS_FILE: put("keys.json", "{}"),
  COOKIE_SECRET_FILE: put("cookies", "0".repeat(32)),
};
const problemsOf = (changes: NodeJS.ProcessEnv): string => {
  try {
    parseConfig("identity", identityConfig, { ...env, ...changes });
    return "";
  } catch (error) {
    return (error as Error).message;
  }
};

describe("the environment of the identity service", () => {
  it("is refused with every file that cannot be read, and everything else that cannot be", () => {
    const message = problemsOf({
      IDENTITY_KEYS_FILE: "/nowhere/keys",
      COOKIE_SECRET_FILE: "/nowhere/cookies",
      CLIENT_METADATA_FOLDER: "/nowhere",
      TRUST_PROXY: "the one in front",
    });
    for (const name of ["IDENTITY_KEYS_FILE", "COOKIE_SECRET_FILE", "CLIENT_METADATA_FOLDER", "TRUST_PROXY"])
      expect(message).toContain(`  ${name}: `);
  });

  it("is refused with a secret that is too short to be one", () => {
    expect(problemsOf({ COOKIE_SECRET_FILE: put("short", "0".repeat(31)) })).toContain("openssl rand");
  });

  it.each(["1", "loopback", "10.0.0.0/8, 192.168.1.7", "fd00::/8"])("may trust %s", (TRUST_PROXY) => {
    expect(problemsOf({ TRUST_PROXY })).toBe("");
  });

  it("is all told in docs/operations.md", async () => {
    const text = await readFile(new URL("../../../docs/operations.md", import.meta.url), "utf8");
    for (const name of Object.keys(identityConfig.shape)) expect(text).toContain(`\`${name}\``);
  });

  it("has the service's own port, unless told otherwise", () => {
    expect(parseConfig("identity", identityConfig, env).PORT).toBe(8081);
  });
});

describe("what countersign.yaml has the identity service read", () => {
  const key = generateKeyPairSync("rsa", { modulusLength: 2_048 }).privateKey;
  const configured = (secrets: object[]): Configuration =>
    ({
      identityProviders: secrets,
      clients: [{ id: "bot", jwksFile: "/nowhere/bot.json" }],
    }) as unknown as Configuration;

  it("is refused with all that cannot be read or used, and where it is named", () => {
    const problems = () =>
      requireReadable(
        configured([
          { type: "oidc", clientSecret: { env: "NOBODY_SET_THIS" } },
          {
            type: "saml",
            certificateFiles: ["/nowhere/a.pem", put("b.pem", "no certificate")],
            decryptionKey: { file: put("k.pem", "no key") },
            decryptionCertificateFile: "/nowhere/c.pem",
          },
        ]),
        "countersign.yaml",
      );
    for (const where of [
      "identityProviders[0].clientSecret cannot be read: the environment variable NOBODY_SET_THIS",
      "identityProviders[1].certificateFiles[0] cannot be read: the file /nowhere/a.pem",
      `identityProviders[1].certificateFiles[1] holds no certificate`,
      "identityProviders[1].decryptionKey holds no private key",
      "identityProviders[1].decryptionCertificateFile cannot be read: the file /nowhere/c.pem",
      "clients[0].jwksFile cannot be read: the file /nowhere/bot.json",
    ])
      expect(problems).toThrow(`countersign.yaml ${where}`);
  });

  it("is taken where all of it can be", () => {
    const decryptionKey = { file: put("good.pem", key.export({ type: "pkcs8", format: "pem" }) as string) };
    const clientSecret = { file: put("secret", "s") };
    const providers = [
      { type: "oidc", clientSecret },
      { type: "saml", certificateFiles: [], decryptionKey },
    ];
    const whole = { ...configured(providers), clients: [] };
    expect(() => requireReadable(whole, "countersign.yaml")).not.toThrow();
  });
});
