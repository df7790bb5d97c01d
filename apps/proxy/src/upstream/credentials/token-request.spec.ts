import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { describeError } from "@countersign/service-kit";
import { requestToken } from "./token-request.js";

const clientSecret = "canary secret:+5f2a";
let server: Server;
let tokenUrl: string;
let seen: { authorization: string | undefined; form: string }[];
let answer: { status: number; body: string; headers?: Record<string, string> };

beforeEach(async () => {
  seen = [];
  server = createServer((request, response) => {
    let form = "";
    request.on("data", (part: Buffer) => (form += part.toString()));
    request.on("end", () => {
      seen.push({ authorization: request.headers.authorization, form });
      response
        .writeHead(answer.status, { "content-type": "application/json", ...answer.headers })
        .end(answer.body);
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  tokenUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
});
afterEach(() => void server.close());

const settings = () => ({
  type: "oauth" as const,
  tokenUrl,
  clientId: "gate way",
  clientSecret: { env: "UNUSED" },
  scope: "cards:read",
  resource: "https://mcp.example/mcp",
});

describe("a request for a token", () => {
  it.each([
    ["the server refuses the client", { status: 401, body: '{"error":"invalid_client"}' }, "token_refused"],
    [
      "the token is no bearer token",
      { status: 200, body: '{"access_token":"t","token_type":"DPoP"}' },
      "token_refused",
    ],
    [
      "the token would smuggle a header",
      { status: 200, body: JSON.stringify({ access_token: "t\r\nx: y", token_type: "Bearer" }) },
      "token_refused",
    ],
    ["the answer is no JSON", { status: 200, body: "<html>" }, "token_refused"],
    ["the answer does not stop", { status: 200, body: "x".repeat(70_000) }, "token_endpoint_unavailable"],
  ])("fails where %s, and the error holds no secret", async (_, given, code) => {
    answer = given;
    const error: unknown = await requestToken(settings(), clientSecret).catch((error: unknown) => error);
    expect(describeError(error)).toContain(code);
    expect(describeError(error)).not.toContain("canary");
  });

  it("does not follow a redirect with the client's secret", async () => {
    answer = { status: 307, body: "", headers: { location: tokenUrl } };
    await expect(requestToken(settings(), clientSecret)).rejects.toThrow("307");
    expect(seen).toHaveLength(1);
  });

  it("authenticates as RFC 6749 section 2.3.1 says and asks for what is configured", async () => {
    answer = { status: 200, body: '{"access_token":"t","token_type":"bearer","expires_in":"60"}' };
    expect(await requestToken(settings(), clientSecret)).toEqual({ value: "t", lifetimeMs: 60_000 });
    const [{ authorization, form } = { authorization: "", form: "" }] = seen;
    const pair = Buffer.from(authorization?.slice("Basic ".length) ?? "", "base64").toString();
    expect(pair).toBe("gate+way:canary+secret%3A%2B5f2a");
    expect(Object.fromEntries(new URLSearchParams(form))).toEqual({
      grant_type: "client_credentials",
      scope: "cards:read",
      resource: "https://mcp.example/mcp",
    });
  });
});
