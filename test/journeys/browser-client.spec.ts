import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tokenOf } from "@countersign/local";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inContext, isChromiumThere, launchChromium } from "./chromium.fixture.js";
import { startTestSuite } from "./suite.fixture.js";

/** An MCP client that is a web page: whether it may do what it needs is for its browser to say. */
describe.skipIf(!isChromiumThere)("a client in a web page", () => {
  const pages: Server[] = [];
  const openPage = async (): Promise<string> => {
    const server = createServer((_, response) => {
      response.writeHead(200, { "content-type": "text/html" }).end("<title>a client</title>");
    });
    pages.push(server);
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  let suite: Awaited<ReturnType<typeof startTestSuite>>;
  let browser: Browser;
  let listed: string;
  let other: string;

  beforeAll(async () => {
    [listed, other] = [await openPage(), await openPage()];
    suite = await startTestSuite({ ALLOWED_ORIGINS: listed });
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    for (const server of pages) server.close().closeAllConnections();
    await suite?.forget();
  });

  /** What a page of an origin gets to see of the way from the first refusal to an answer. */
  const journeyFrom = (origin: string, bearer: string) =>
    inContext(browser, {}, async (page) => {
      await page.goto(origin);
      return page.evaluate(
        async ({ url, bearer }) => {
          const ask = (headers: Record<string, string>): Promise<Response> =>
            fetch(url, {
              method: "POST",
              headers: {
                ...headers,
                "content-type": "application/json",
                accept: "application/json, text/event-stream",
                "mcp-protocol-version": "2025-11-25",
              },
              body: JSON.stringify({
                jsonrpc: "2.0",
                id: 1,
                method: "initialize",
                params: {
                  protocolVersion: "2025-11-25",
                  capabilities: {},
                  clientInfo: { name: "a page", version: "1" },
                },
              }),
            });
          const json = async (url: string, init: RequestInit): Promise<Record<string, unknown>> =>
            (await (await fetch(url, init)).json()) as Record<string, unknown>;
          const speaking = { headers: { "mcp-protocol-version": "2025-11-25" } };
          try {
            const invitation = (await ask({})).headers.get("www-authenticate") ?? "";
            const resource = await json(/resource_metadata="([^"]+)"/.exec(invitation)?.[1] ?? "", speaking);
            const [issuer] = resource["authorization_servers"] as [string];
            const server = await json(`${issuer}/.well-known/oauth-authorization-server`, speaking);
            const client = await json(String(server["registration_endpoint"]), {
              method: "POST",
              headers: { "content-type": "application/json" },
              body: JSON.stringify({
                client_name: "a page",
                redirect_uris: ["http://localhost/callback"],
                token_endpoint_auth_method: "none",
              }),
            });
            const unknownCode = await json(String(server["token_endpoint"]), {
              method: "POST",
              body: new URLSearchParams({
                grant_type: "authorization_code",
                client_id: String(client["client_id"]),
                code: "unknown",
                code_verifier: "v".repeat(43),
                redirect_uri: "http://localhost/callback",
              }),
            });
            const answer = await ask({ authorization: `Bearer ${bearer}` });
            return {
              isRegistered: typeof client["client_id"] === "string",
              token: unknownCode["error"],
              status: answer.status,
              answer: await answer.text(),
            };
          } catch (error) {
            return String(error);
          }
        },
        { url: `${suite.urls.proxy}/mcp/payments`, bearer },
      );
    });

  it("finds its way, calls and reads the answer where its origin is listed, and nowhere else", async () => {
    const token = await tokenOf(
      "engineer",
      suite.urls.identity,
      `${suite.urls.proxy}/mcp/payments`,
      "OPS-9: tries a page",
    );
    expect(await journeyFrom(other, token)).toBe("TypeError: Failed to fetch");
    expect(await journeyFrom(listed, token)).toEqual({
      isRegistered: true,
      token: "invalid_grant",
      status: 200,
      answer: expect.stringContaining(`"protocolVersion":"2025-11-25"`) as string,
    });
  });
});
