import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { VaultClient } from "./vault-client.js";

let server: Server;
let asked: IncomingMessage[];
let answer: { status: number; body: string; location?: string };
let client: VaultClient;

beforeEach(async () => {
  asked = [];
  server = createServer((request, response) => {
    asked.push(request);
    const { status, body, location } = answer;
    response.writeHead(status, location ? { location } : {}).end(body);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  client = new VaultClient({ address, namespace: "cards", token: () => "hvs.canary", setting: "VAULT_ADDR" });
});
afterEach(() => void server.close());

describe("a client of HashiCorp Vault", () => {
  it("does not take its token along to where an answer points", async () => {
    answer = { status: 307, body: "", location: "/v1/elsewhere" };
    expect(await client.ask("secret/data/a")).toEqual({ status: 307, body: undefined });
    expect(asked.map(({ url }) => url)).toEqual(["/v1/secret/data/a"]);
  });

  it("does not read an answer without end", async () => {
    answer = { status: 200, body: "x".repeat(300_000) };
    await expect(client.ask("secret/data/a")).rejects.toMatchObject({ code: "vault_unavailable" });
  });

  it("writes where there is a body, in its namespace, to exactly the path that it was given", async () => {
    answer = { status: 200, body: '{"data":{}}' };
    expect(await client.ask("team/decrypt/a?b", { ciphertext: "c" })).toEqual({
      status: 200,
      body: { data: {} },
    });
    const [{ method, url, headers } = { method: "", url: "", headers: {} }] = asked;
    expect([method, url]).toEqual(["POST", "/v1/team/decrypt/a%3Fb"]);
    expect(headers).toMatchObject({ "x-vault-token": "hvs.canary", "x-vault-namespace": "cards" });
  });
});
