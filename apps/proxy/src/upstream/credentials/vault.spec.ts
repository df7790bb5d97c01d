import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { describeError } from "@countersign/service-kit";
import { freshMs, Vault } from "./vault.js";

const vaultToken = "hvs.canary-token";
const value = "canary-value-5f2a";
let server: Server;
let requests: IncomingMessage[];
let answer: { status: number; body: string };
let now: number;
let vault: Vault;

const secretOf = (data: unknown) => JSON.stringify({ data: { data, metadata: { version: 1 } } });

beforeEach(async () => {
  requests = [];
  now = 0;
  answer = { status: 200, body: secretOf({ token: value }) };
  server = createServer((request, response) => {
    requests.push(request);
    response.writeHead(answer.status, { "content-type": "application/json" }).end(answer.body);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  vault = new Vault({ address, namespace: "cards", token: () => vaultToken, now: () => now });
});
afterEach(() => void server.close());

const failure = async (path = "secret/payments", field = "token") => {
  const error: unknown = await vault.field(path, field).catch((error: unknown) => error);
  if (!(error instanceof Error)) throw new Error("it did not fail");
  return describeError(error);
};

describe("a secret in Vault", () => {
  it.each([
    ["Vault refuses the token", 403, '{"errors":["permission denied"]}', "vault_refused"],
    ["Vault is sealed", 503, '{"errors":["Vault is sealed"]}', "vault_refused"],
    ["nothing is there", 404, '{"errors":[]}', "secret_missing"],
    ["the field is not there", 200, secretOf({ other: value }), "secret_missing"],
    ["the field is no text", 200, secretOf({ token: { nested: value } }), "secret_missing"],
    ["the store is of version 1", 200, JSON.stringify({ data: { token: value } }), "vault_refused"],
    ["Vault answers nonsense", 200, value, "vault_refused"],
    ["Vault does not stop", 200, "x".repeat(300_000), "vault_unavailable"],
  ])("is none where %s, and the error holds no secret", async (_, status, body, code) => {
    answer = { status, body };
    const error = await failure();
    expect(error).toContain(code);
    expect(error).not.toMatch(/canary|x{20}/);
  });

  it("is none where Vault cannot be reached, or nobody said where it is", async () => {
    vault = new Vault({ address: "http://127.0.0.1:1", token: () => vaultToken, now: () => now });
    expect(await failure()).toContain("vault_unavailable");
    vault = new Vault({ address: undefined, token: () => vaultToken, now: () => now });
    expect(await failure()).toContain("vault_not_configured");
  });

  it("is not used any longer where it cannot be read again when it is due", async () => {
    await vault.field("secret/payments", "token");
    now = freshMs;
    answer = { status: 403, body: "{}" };
    expect(await failure()).toContain("vault_refused");
  });

  it("is read where the mount's data is, once for many", async () => {
    const reads = Array.from({ length: 5 }, () => vault.field("secret/team a/payments", "token"));
    expect(new Set(await Promise.all(reads))).toEqual(new Set([value]));
    expect(
      requests.map(({ url, headers }) => [url, headers["x-vault-token"], headers["x-vault-namespace"]]),
    ).toEqual([["/v1/secret/data/team%20a/payments", vaultToken, "cards"]]);
  });

  it("is the new one after a rotation, and at once after it was refused", async () => {
    await vault.field("secret/payments", "token");
    answer.body = secretOf({ token: "rotated" });
    expect(await vault.field("secret/payments", "token")).toBe(value);
    now = freshMs;
    expect(await vault.field("secret/payments", "token")).toBe("rotated");
    answer.body = secretOf({ token: "again" });
    vault.forget("secret/payments");
    expect(await vault.field("secret/payments", "token")).toBe("again");
  });
});
