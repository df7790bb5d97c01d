import { createHash, randomBytes } from "node:crypto";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ApprovalView, RecordView, SessionView } from "@countersign/contracts";
import { apiTokenOf, callApi, callTool, connectAs, eventually } from "@countersign/local";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { decodeJwt } from "jose";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inContext, isChromiumThere, launchChromium, watch } from "./chromium.fixture.js";
import { startTestSuite } from "./suite.fixture.js";

const root = new URL("../../", import.meta.url).pathname;
/** Long enough to have more time approved meanwhile, and short enough to wait for. */
const sessionSeconds = 25;

/** The policies of this repository have contractors wait for a lead. */
describe("sessions that another person has to approve", () => {
  const config = mkdtempSync(join(tmpdir(), "countersign-config-"));
  let suite: Awaited<ReturnType<typeof startTestSuite>>;
  let tokens: Record<"contractor" | "engineer" | "lead" | "auditor", string>;

  beforeAll(async () => {
    cpSync(join(root, "policies"), join(config, "policies"), { recursive: true });
    const text = readFileSync(join(root, "countersign.yaml"), "utf8");
    writeFileSync(
      join(config, "countersign.yaml"),
      text.replace("maximum: 1h", "maximum: 5m").replace("default: 30m", `default: ${sessionSeconds}s`),
    );
    suite = await startTestSuite({ COUNTERSIGN_CONFIG: join(config, "countersign.yaml") });
    const of = (account: string) => apiTokenOf(account, suite.urls.identity);
    tokens = {
      contractor: await of("contractor"),
      engineer: await of("engineer"),
      lead: await of("lead"),
      auditor: await of("auditor"),
    };
  });
  afterAll(async () => {
    await suite?.forget();
    rmSync(config, { recursive: true });
  });

  /** The newest approval that waits for a decision about this. */
  const waitingApproval = (justification: string): Promise<ApprovalView> =>
    eventually(async () => {
      const { json } = await callApi(tokens.lead, `${suite.urls.approval}/approvals?status=pending`);
      return (json as ApprovalView[]).find((approval) => approval.justification === justification);
    }, "The approval request");
  const decide = (token: string, approvalId: string, decision: "approve" | "deny", comment?: string) =>
    callApi(token, `${suite.urls.approval}/approvals/${approvalId}/decision`, { decision, comment });
  const recordsOf = async (sessionId: string, type: string) => {
    const { json } = await callApi(
      tokens.auditor,
      `${suite.urls.audit}/records?session=${sessionId}&type=${type}`,
    );
    return (json as { records: RecordView[] }).records;
  };
  const recordOf = (sessionId: string, type: string) =>
    eventually(async () => (await recordsOf(sessionId, type))[0], `The record of ${type}`);

  it("begin for a real client that knows nothing of it, and the record names both people", async () => {
    const connecting = connectAs("contractor", `${suite.urls.proxy}/mcp/payments`, "INC-1: a real client");
    const approval = await waitingApproval("INC-1: a real client");
    expect(approval).toMatchObject({
      kind: "session",
      tool: "session:open",
      endpoint: "payments",
      requester: { id: "company:contractor", groups: ["payments-engineers", "payments-contractors"] },
      client: { name: "Demo MCP client" },
    });
    expect(JSON.parse(approval.arguments)).toMatchObject({
      duration_seconds: sessionSeconds,
      login: { provider: "company", several_factors: true },
    });
    expect((await decide(tokens.contractor, approval.approvalId, "approve")).status).toBe(403);
    expect((await decide(tokens.engineer, approval.approvalId, "approve")).status).toBe(403);
    expect((await decide(tokens.lead, approval.approvalId, "approve", "for INC-1")).status).toBe(200);
    const client = await connecting;
    expect((await callTool(client, "query_customers", { search: "cus_1001" })).failed).toBe(false);
    await client.close();

    const sessionId = String(decodeJwt(client.token)["sid"]);
    expect((await recordOf(sessionId, "SessionGranted")).data).toMatchObject({
      principal: { id: "company:contractor" },
      approvedBy: { id: "company:lead", name: "Lee Lead" },
      comment: "for INC-1",
      approvalId: approval.approvalId,
    });
    expect((await recordOf(sessionId, "SessionAwaitsApproval")).data).toMatchObject({
      approvalId: approval.approvalId,
    });
    expect((await recordsOf(sessionId, "ApprovalAttemptRefused")).map(({ data }) => data)).toMatchObject([
      { kind: "session", reason: "own_call", by: { id: "company:contractor" } },
      { kind: "session", reason: "not_designated", by: { id: "company:engineer" } },
    ]);
  });

  it("last longer once another person approves that, and the client notices nothing", async () => {
    const client = await connectAs("engineer", `${suite.urls.proxy}/mcp/payments`, "INC-2: takes longer");
    const sessionId = String(decodeJwt(client.token)["sid"]);
    const address = `${suite.urls["session-broker"]}/sessions/${sessionId}`;
    const session = async () => (await callApi(tokens.engineer, address)).json as SessionView;
    const before = await session();
    const body = { durationSeconds: 60, justification: "INC-2: more to look at" };
    expect((await callApi(tokens.lead, `${address}/extend`, body)).status).toBe(404);
    expect(
      (await callApi(tokens.engineer, `${address}/extend`, { ...body, durationSeconds: 600 })).status,
    ).toBe(422);
    expect((await callApi(tokens.engineer, `${address}/extend`, body)).status).toBe(202);
    const approval = await waitingApproval(body.justification);
    expect(approval).toMatchObject({ kind: "extension", tool: "session:extend" });
    expect((await decide(tokens.engineer, approval.approvalId, "approve")).status).toBe(403);
    expect((await session()).expiresAt).toBe(before.expiresAt);
    expect((await decide(tokens.lead, approval.approvalId, "approve")).status).toBe(200);
    const expiresAt = await eventually(async () => {
      const now = await session();
      return now.expiresAt === before.expiresAt ? undefined : now.expiresAt;
    }, "The extension");
    expect(Date.parse(expiresAt ?? "") - Date.parse(before.expiresAt ?? "")).toBe(60_000);

    const firstEnd = Date.parse(before.expiresAt ?? "");
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, firstEnd + 2_000 - Date.now())));
    const { failed, text } = await callTool(client, "query_customers", { search: "cus_1001" });
    expect([failed, text]).toEqual([false, expect.any(String)]);
    expect(await session()).toMatchObject({ status: "active", extension: { status: "granted" } });
    expect((await recordOf(sessionId, "SessionExtended")).data).toMatchObject({
      principalId: "company:engineer",
      approvedBy: { id: "company:lead" },
      justification: body.justification,
    });
    await callApi(tokens.engineer, `${address}/revoke`, { reason: "done" });
    expect(await callApi(tokens.engineer, `${address}/extend`, body)).toMatchObject({ status: 409 });
    await client.close();
  });

  describe.skipIf(!isChromiumThere)("on a page in a real browser", () => {
    let browser: Browser;
    let client: Server;
    const callbacks: URL[] = [];
    const verifier = randomBytes(32).toString("base64url");

    beforeAll(async () => {
      browser = await launchChromium();
      client = createServer((request, response) => {
        const url = new URL(request.url ?? "/", `http://${request.headers.host}`);
        if (url.pathname === "/callback") callbacks.push(url);
        response.setHeader("content-type", "text/html").end("<h1>You can close this window</h1>");
      }).listen(0, "127.0.0.1");
      if (!client.listening) await once(client, "listening");
    });
    afterAll(async () => {
      await browser?.close();
      client?.close().closeAllConnections();
    });

    const redirectUri = () => `http://127.0.0.1:${(client.address() as AddressInfo).port}/callback`;
    const resource = () => `${suite.urls.proxy}/mcp/payments`;

    /** Logs the contractor in and asks, up to the page that waits. Answers the client's id. */
    async function askIn(page: Page, justification: string): Promise<string> {
      const { identity } = suite.urls;
      const registered = await fetch(`${identity}/register`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          client_name: "Inspector",
          redirect_uris: [redirectUri()],
          token_endpoint_auth_method: "none",
        }),
      });
      const { client_id: clientId } = (await registered.json()) as { client_id: string };
      const params = new URLSearchParams({
        client_id: clientId,
        redirect_uri: redirectUri(),
        response_type: "code",
        code_challenge: createHash("sha256").update(verifier).digest("base64url"),
        code_challenge_method: "S256",
        resource: resource(),
      });
      await page.goto(`${identity}/authorize?${params.toString()}`);
      await page.getByRole("link", { name: "Log in with Company account" }).click();
      await page.getByRole("button", { name: /Chris Contractor/ }).click();
      await page.getByLabel("What do you need it for?").fill(justification);
      await page.getByLabel("For how long?").selectOption({ label: "5 minutes" });
      await page.getByRole("button", { name: "Start the session" }).click();
      await page.getByRole("heading", { name: "Waiting for an approval" }).waitFor();
      return clientId;
    }

    async function tokenOf(clientId: string): Promise<string> {
      const response = await fetch(`${suite.urls.identity}/token`, {
        method: "POST",
        body: new URLSearchParams({
          grant_type: "authorization_code",
          client_id: clientId,
          code: callbacks.at(-1)?.searchParams.get("code") ?? "",
          redirect_uri: redirectUri(),
          code_verifier: verifier,
          resource: resource(),
        }),
      });
      return ((await response.json()) as { access_token: string }).access_token;
    }

    it("waits, says so to a screen reader, and goes on without a click once it is approved", async () => {
      await inContext(browser, {}, async (page) => {
        const problems = watch(page);
        const clientId = await askIn(page, "INC-3: by page");
        const status = page.getByRole("status");
        expect(await status.textContent()).toContain("Another person has to approve this session");
        expect(await status.getAttribute("aria-live")).toBe("polite");
        expect(await page.getByRole("main").textContent()).toMatch(/5 minutes[\s\S]*INC-3: by page/);
        const { approvalId } = await waitingApproval("INC-3: by page");
        // It does not go on before, however long it is looked at.
        await page.waitForTimeout(1_500);
        await page.getByRole("heading", { name: "Waiting for an approval" }).waitFor();
        expect((await decide(tokens.lead, approvalId, "approve")).status).toBe(200);
        await page.getByRole("heading", { name: "You can close this window" }).waitFor();
        expect(problems).toEqual([]);

        const token = await tokenOf(clientId);
        const mcp = new Client({ name: "journey", version: "1.0.0" });
        const headers = { authorization: `Bearer ${token}` };
        await mcp.connect(
          new StreamableHTTPClientTransport(new URL(resource()), { requestInit: { headers } }),
        );
        const result = await mcp.callTool({ name: "query_customers", arguments: { search: "cus_1001" } });
        expect(result.isError ?? false).toBe(false);
        await mcp.close();
      });
    });

    it("shows the approver's words when it is refused, and lets the person state it again", async () => {
      await inContext(browser, {}, async (page) => {
        const problems = watch(page);
        await askIn(page, "INC-4: refused");
        const { approvalId } = await waitingApproval("INC-4: refused");
        await decide(tokens.lead, approvalId, "deny", "wrong ticket");
        await page.getByRole("heading", { name: "The session was refused" }).waitFor();
        expect(await page.getByRole("alert").textContent()).toBe("Lee Lead refused it: wrong ticket");
        await page.getByRole("link", { name: "state it again" }).click();
        await page.getByLabel("What do you need it for?").waitFor();
        // The browser says that the page of the refusal has the status 403.
        expect(problems.filter((problem) => !problem.includes("403"))).toEqual([]);
      });
    });

    it("goes on without scripts, too, and after it was closed", async () => {
      await inContext(browser, { javaScriptEnabled: false }, async (page, context) => {
        const clientId = await askIn(page, "INC-5: no scripts");
        const { approvalId } = await waitingApproval("INC-5: no scripts");
        await page.getByRole("link", { name: "Check again" }).click();
        await page.getByRole("heading", { name: "Waiting for an approval" }).waitFor();
        const address = page.url();
        await page.close();
        const again = await context.newPage();
        await again.goto(address);
        await again.getByRole("heading", { name: "Waiting for an approval" }).waitFor();
        await decide(tokens.lead, approvalId, "approve");
        await again.getByRole("heading", { name: "You can close this window" }).waitFor();
        expect(decodeJwt(await tokenOf(clientId)).aud).toBe(resource());
      });
    });

    it("drops the request when the person cancels, so that nobody has to decide it", async () => {
      await inContext(browser, {}, async (page) => {
        await askIn(page, "INC-6: never mind");
        const { approvalId } = await waitingApproval("INC-6: never mind");
        await page.getByRole("button", { name: "Cancel" }).click();
        await page.getByRole("heading", { name: "You can close this window" }).waitFor();
        expect(callbacks.at(-1)?.searchParams.get("error")).toBe("access_denied");
        await eventually(async () => {
          const { json } = await callApi(tokens.lead, `${suite.urls.approval}/approvals/${approvalId}`);
          return (json as ApprovalView).status === "withdrawn" ? true : undefined;
        }, "The withdrawal");
        expect((await decide(tokens.lead, approvalId, "approve")).status).toBe(409);
      });
    });
  });
});
