import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inContext, isChromiumThere, launchChromium, watch } from "./chromium.fixture.js";
import { startTestSuite } from "./suite.fixture.js";

/** What a real browser makes of our pages: a policy that is too strict shows only there. */
describe.skipIf(!isChromiumThere)("the session page in a real browser", () => {
  let suite: Awaited<ReturnType<typeof startTestSuite>>;
  let browser: Browser;
  let client: Server;
  let elsewhere: Server;
  const callbacks: URL[] = [];

  beforeAll(async () => {
    suite = await startTestSuite({}, { services: ["identity", "session-broker"] });
    browser = await launchChromium();
    elsewhere = createServer((request, response) => {
      const framed = new URL(request.url ?? "/", "http://x").searchParams.get("frame");
      response
        .setHeader("content-type", "text/html")
        .end(framed ? `<iframe id="f" src="${framed}"></iframe>` : "<h1>Welcome back</h1>");
    }).listen(0, "127.0.0.1");
    // Clients listen on the loopback interface while the browser is away, and some send it on to a page of their own.
    client = createServer((request, response) => {
      const url = new URL(request.url ?? "/", `http://${request.headers.host}`);
      if (!url.pathname.startsWith("/callback")) return void response.writeHead(404).end();
      callbacks.push(url);
      if (url.pathname === "/callback/onward")
        return void response.writeHead(302, { location: `http://localhost:${portOf(elsewhere)}/` }).end();
      response.setHeader("content-type", "text/html").end("<h1>You can close this window</h1>");
    }).listen(0, "127.0.0.1");
    for (const server of [client, elsewhere]) if (!server.listening) await once(server, "listening");
  });
  afterAll(async () => {
    await browser?.close();
    for (const server of [client, elsewhere]) server?.close().closeAllConnections();
    await suite?.forget();
  });

  const portOf = (server: Server): number => (server.address() as AddressInfo).port;

  /** Registers a client that is called `name` and answers the address at which its login begins. */
  async function beginLogin(redirectUri: string, name = "Inspector"): Promise<string> {
    const { identity, proxy } = suite.urls;
    const response = await fetch(`${identity}/register`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        client_name: name,
        redirect_uris: [redirectUri],
        token_endpoint_auth_method: "none",
      }),
    });
    const { client_id: clientId } = (await response.json()) as { client_id: string };
    const params = new URLSearchParams({
      client_id: clientId,
      redirect_uri: redirectUri,
      response_type: "code",
      code_challenge: createHash("sha256").update(randomBytes(32)).digest("base64url"),
      code_challenge_method: "S256",
      resource: `${proxy}/mcp/payments`,
    });
    return `${identity}/authorize?${params.toString()}`;
  }

  async function logIn(page: Page, start: string): Promise<void> {
    await page.goto(start);
    await page.getByRole("link", { name: "Log in with Company account" }).click();
    await page.getByRole("button", { name: /Erin Engineer/ }).click();
    await page.getByRole("heading", { name: "Access to Payments" }).waitFor();
  }

  it.each([
    ["with scripts", "127.0.0.1", true],
    ["without scripts", "127.0.0.1", false],
    ["to a client that calls itself localhost", "localhost", true],
  ])("leads back to the client %s", async (_, host, javaScriptEnabled) => {
    const redirectUri = `http://${host}:${portOf(client)}/callback`;
    await inContext(browser, { javaScriptEnabled }, async (page) => {
      const problems = watch(page);
      await logIn(page, await beginLogin(redirectUri));
      await page.getByLabel("What do you need it for?").fill("INC-4711: customer was charged twice");
      await page.getByLabel("For how long?").selectOption({ label: "15 minutes" });
      await page.getByRole("button", { name: "Start the session" }).click();
      await page.getByRole("heading", { name: "You can close this window" }).waitFor();
      expect(problems).toEqual([]);
    });
    const answer = callbacks.at(-1);
    expect(answer?.host).toBe(`${host}:${portOf(client)}`);
    expect(answer?.searchParams.get("code")).toBeTruthy();
    expect(answer?.searchParams.get("iss")).toBe(suite.urls.identity);
  });

  it("lets the client send the browser on to a page of its own", async () => {
    const redirectUri = `http://127.0.0.1:${portOf(client)}/callback/onward`;
    await inContext(browser, {}, async (page) => {
      await logIn(page, await beginLogin(redirectUri));
      await page.getByLabel("What do you need it for?").fill("INC-4711");
      await page.getByRole("button", { name: "Start the session" }).click();
      await page.getByRole("heading", { name: "Welcome back" }).waitFor();
      expect(new URL(page.url()).port).toBe(String(portOf(elsewhere)));
    });
  });

  it.each([
    ["with its code", "Start the session", "code"],
    ["with a refusal", "Cancel", "error"],
  ])("opens the app that answers to the client's own scheme %s", async (_, button, parameter) => {
    await inContext(browser, {}, async (page) => {
      const problems = watch(page);
      // No such app is installed here; a browser whose page forbids the way does not even ask for it, and says so.
      const opened: URL[] = [];
      page.on("request", (request) => {
        if (request.url().startsWith("cursor:")) opened.push(new URL(request.url()));
      });
      await logIn(page, await beginLogin("cursor://anysphere.cursor-mcp/oauth/callback", "Cursor"));
      await page.getByText("an app on this computer that answers to cursor://").waitFor();
      await page.getByLabel("What do you need it for?").fill("INC-4711");
      await page.getByRole("button", { name: button }).click();
      await page.getByRole("heading", { name: "Going back" }).waitFor();
      await expect.poll(() => opened.length).toBe(1);
      expect(opened[0]?.href).toMatch(/^cursor:\/\/anysphere\.cursor-mcp\/oauth\/callback\?/);
      expect(opened[0]?.searchParams.get(parameter)).toBeTruthy();
      expect(opened[0]?.searchParams.get("iss")).toBe(suite.urls.identity);
      expect(problems).toEqual([]);
    });
  });

  it("tells the client when the person cancels", async () => {
    const redirectUri = `http://127.0.0.1:${portOf(client)}/callback`;
    await inContext(browser, {}, async (page) => {
      await logIn(page, await beginLogin(redirectUri));
      await page.getByRole("button", { name: "Cancel" }).click();
      await page.getByRole("heading", { name: "You can close this window" }).waitFor();
    });
    expect(callbacks.at(-1)?.searchParams.get("error")).toBe("access_denied");
  });

  it("says who asks, for what and with which tools, in words that a screen reader finds", async () => {
    const redirectUri = `http://127.0.0.1:${portOf(client)}/callback`;
    await inContext(browser, {}, async (page) => {
      const problems = watch(page);
      await logIn(page, await beginLogin(redirectUri, "<img src=x onerror=alert(1)>"));
      expect(await page.title()).toBe("Access to Payments – Countersign");
      expect(await page.locator("html").getAttribute("lang")).toBe("en");
      const main = page.getByRole("main");
      await main.getByText("<img src=x onerror=alert(1)> (unverified)").waitFor();
      await main.getByText(`127.0.0.1:${portOf(client)}`).waitFor();
      await main.getByText("query_customers").first().waitFor();
      expect(await page.locator("img, script").count()).toBe(0);
      // The form can be filled in and sent from the keyboard alone.
      await page.keyboard.type("INC-4711");
      expect(await page.getByLabel("What do you need it for?").inputValue()).toBe("INC-4711");
      await page.keyboard.press("Tab");
      expect(await page.evaluate("document.activeElement.id")).toBe("duration");
      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "You can close this window" }).waitFor();
      expect(problems).toEqual([]);
    });
  });

  it("is not shown in a frame", async () => {
    const redirectUri = `http://127.0.0.1:${portOf(client)}/callback`;
    await inContext(browser, {}, async (page) => {
      await logIn(page, await beginLogin(redirectUri));
      const address = page.url();
      const problems = watch(page);
      await page.goto(`http://127.0.0.1:${portOf(elsewhere)}/?frame=${encodeURIComponent(address)}`);
      await expect.poll(() => problems.join()).toMatch(/frame-ancestors|X-Frame-Options/);
      expect(await page.frameLocator("#f").getByRole("button").count()).toBe(0);
    });
  });
});
