import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { FileKeys } from "./file-keys.js";

const jwk = (kid: string) => ({
  ...generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" }),
  kid,
});
const parse = (...keys: object[]) => FileKeys.parse(JSON.stringify({ keys }));

describe("the vault's keys in a file", () => {
  it("seal to the first and open with all", () => {
    const keys = parse(jwk("new"), jwk("old"));
    expect(keys.currentKeyId).toBe("new");
    expect(keys.privateKey("old")?.type).toBe("private");
    expect(keys.privateKey("older")).toBeUndefined();
  });

  it("show the public half of the current key and nothing else of it", () => {
    const published = parse(jwk("new")).current.publicJwk;
    expect(Object.keys(published).toSorted()).toEqual(["alg", "crv", "kid", "kty", "use", "x", "y"]);
    expect(createPublicKey({ key: published, format: "jwk" }).asymmetricKeyType).toBe("ec");
    const edwards = generateKeyPairSync("x25519").privateKey.export({ format: "jwk" });
    expect(parse({ ...edwards, kid: "x" }).current.publicJwk).not.toHaveProperty("d");
  });

  it.each([
    ["no key", () => parse()],
    ["a public key", () => parse({ ...jwk("a"), d: undefined })],
    ["a key without a kid", () => parse({ ...jwk("a"), kid: undefined })],
    [
      "a signing key",
      () => parse({ ...generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" }), kid: "a" }),
    ],
    ["two keys of one kid", () => parse(jwk("a"), jwk("a"))],
    [
      "a key that is named like one of the transit engine",
      () => parse(jwk("vault-transit:RSA-OAEP-256:transit/originals:v1")),
    ],
    ["something else", () => FileKeys.parse("-----BEGIN")],
    ["a file that is not there", () => FileKeys.load("/nowhere/keys.json")],
  ])("are refused when the file holds %s", (_, load) => {
    expect(load).toThrow(expect.objectContaining({ code: "vault_keys_unusable" }));
  });

  it("are never repeated in an error", () => {
    const key = { ...jwk("a"), crv: "P-384" };
    expect(() => parse(key)).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining(String(key.d)) as string }),
    );
  });
});
