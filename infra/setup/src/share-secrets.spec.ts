import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { generators, shares } from "./secrets.js";
import { shareSecrets } from "./share-secrets.js";

describe("the secrets of a deployment", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "secrets-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const share = (): string[] => shareSecrets(join(folder, "kept"), folder, false);
  const read = (path: string): string => readFileSync(join(folder, path), "utf8");

  it("are for their owner's eyes alone", () => {
    share();
    for (const reader of ["kept", ...Object.keys(shares)]) {
      expect(statSync(join(folder, reader)).mode & 0o777).toBe(0o700);
      for (const name of readdirSync(join(folder, reader))) {
        expect(statSync(join(folder, reader, name)).mode & 0o777).toBe(0o600);
      }
    }
  });

  it("reach those who need them and nobody else", () => {
    share();
    const holding = (secret: string): string[] =>
      Object.keys(shares).filter((reader) =>
        readdirSync(join(folder, reader)).some(
          (name) => read(`${reader}/${name}`) === read(`kept/${secret}`),
        ),
      );
    expect(holding("vault-keys.json")).toEqual(["masking"]);
    expect(holding("identity-keys.json")).toEqual(["identity"]);
    expect(holding("checkpoint-key.pem")).toEqual(["audit"]);
    expect(holding("postgres-password")).toEqual(["postgres", "setup"]);
    expect(holding("fingerprint-key")).toEqual(["proxy", "masking", "audit"]);
    expect(holding("database-password-audit")).toEqual(["audit"]);
  });

  it("differ from each other and from those of another deployment", () => {
    const values = [1, 2].flatMap(() => Object.values(generators).map((generate) => generate()));
    expect(new Set(values).size).toBe(values.length);
  });

  it("stay as they are when they are there, and are shared anew when one was replaced", () => {
    expect(share()).toEqual(Object.keys(generators));
    const before = read("identity/identity-keys.json");
    writeFileSync(join(folder, "kept/company-idp-client-secret"), "brought by the company");
    expect(share()).toEqual([]);
    expect(read("identity/identity-keys.json")).toBe(before);
    expect(read("identity/company-idp-client-secret")).toBe("brought by the company");
  });

  it("hold keys with which others can work", () => {
    share();
    const keys = (file: string): unknown => JSON.parse(read(file));
    expect(keys("identity/identity-keys.json")).toMatchObject({
      keys: [
        { kty: "EC", crv: "P-256", alg: "ES256", use: "sig", d: expect.any(String), kid: expect.any(String) },
      ],
    });
    expect(keys("masking/vault-keys.json")).toMatchObject({ keys: [{ crv: "P-256", use: "enc" }] });
    expect(read("audit/checkpoint-key.pem")).toContain("BEGIN PRIVATE KEY");
    expect(Buffer.from(read("proxy/fingerprint-key"), "base64")).toHaveLength(32);
  });
});
