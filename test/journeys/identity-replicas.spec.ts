import { type ChildProcess, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, request as send, type Server } from "node:http";
import { join } from "node:path";
import type { ApprovalView } from "@countersign/contracts";
import { apiTokenOf, callApi, eventually, freePorts, HeadlessBrowser, type Page } from "@countersign/local";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestSuite } from "./suite.fixture.js";

const repository = new URL("../../", import.meta.url).pathname;
const callback = "http://127.0.0.1:17654/callback";
const logins = 6;

interface Replica {
  readonly port: number;
  readonly process: ChildProcess;
}

/** Three replicas of identity share nothing but PostgreSQL and Kafka; whichever answers, and whichever dies, a login goes on. */
describe("identity in three replicas behind a round robin", () => {
  let suite: Awaited<ReturnType<typeof startTestSuite>>;
  let balancer: Server;
  let replicas: Replica[] = [];
  const answered = new Map<number, number>();

  beforeAll(async () => {
    suite = await startTestSuite({}, { services: ["identity", "session-broker", "approval"] });
    // The address of identity becomes the balancer's, behind which the replicas stand.
    await suite.service("identity").stop();
    const ports = await freePorts(3);
    replicas = await Promise.all(ports.map(startReplica));
    balancer = await startBalancer(suite.ports.identity);
  });
  afterAll(async () => {
    balancer?.close().closeAllConnections();
    for (const { process } of replicas) process.kill("SIGKILL");
    await suite?.forget();
  });

  async function startReplica(port: number): Promise<Replica> {
    const { urls, brokers, databaseUrls, dataDir } = suite;
    const secret = (name: string) => join(dataDir, "secrets", name);
    const child = spawn(process.execPath, [join(repository, "apps/identity/dist/main.js")], {
      stdio: "ignore",
      env: {
        PATH: process.env["PATH"],
        HOST: "127.0.0.1",
        PORT: String(port),
        LOG_LEVEL: "error",
        KAFKA_BROKERS: brokers,
        DATABASE_URL: databaseUrls.identity,
        GATEWAY_URL: urls.proxy,
        ISSUER_URL: urls.identity,
        COUNTERSIGN_CONFIG: join(repository, "countersign.yaml"),
        COMPANY_IDP_ISSUER: urls["dev-idp"],
        COMPANY_IDP_CLIENT_ID: "countersign",
        COMPANY_IDP_CLIENT_SECRET: await secretText("company-idp-client-secret"),
        IDENTITY_KEYS_FILE: secret("identity-keys.json"),
        COOKIE_SECRET_FILE: secret("cookie-secret"),
      },
    });
    await eventually(
      async () => {
        const ready = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
        return ready?.ok ? true : undefined;
      },
      "A replica of identity",
      120_000,
    );
    return { port, process: child };
  }

  async function secretText(name: string): Promise<string> {
    const { readFile } = await import("node:fs/promises");
    return (await readFile(join(suite.dataDir, "secrets", name), "utf8")).trim();
  }

  /** Each request to the next replica that takes it: what a load balancer does that notices a dead one by itself. */
  async function startBalancer(port: number): Promise<Server> {
    let turn = 0;
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const attempt = (left: number): void => {
          const replica = replicas[turn++ % replicas.length];
          if (!replica || left === 0) return void response.writeHead(502).end();
          const onward = send(
            {
              host: "127.0.0.1",
              port: replica.port,
              path: request.url,
              method: request.method,
              headers: { ...request.headers, connection: "close" },
            },
            (answer) => {
              answered.set(replica.port, (answered.get(replica.port) ?? 0) + 1);
              response.writeHead(answer.statusCode ?? 502, answer.headers);
              answer.pipe(response);
            },
          );
          onward.on("error", () => attempt(left - 1));
          onward.end(Buffer.concat(chunks));
        };
        attempt(replicas.length);
      });
    }).listen(port, "127.0.0.1");
    await once(server, "listening");
    return server;
  }

  const verifier = randomBytes(32).toString("base64url");

  async function begin(): Promise<{ clientId: string; browser: HeadlessBrowser; page: Page }> {
    const { identity, proxy } = suite.urls;
    const response = await fetch(`${identity}/register`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        client_name: "Replicas",
        redirect_uris: [callback],
        grant_types: ["authorization_code", "refresh_token"],
        token_endpoint_auth_method: "none",
      }),
    });
    const { client_id: clientId } = (await response.json()) as { client_id: string };
    const params = new URLSearchParams({
      client_id: clientId,
      redirect_uri: callback,
      response_type: "code",
      code_challenge: createHash("sha256").update(verifier).digest("base64url"),
      code_challenge_method: "S256",
      resource: `${proxy}/mcp/payments`,
    });
    const browser = new HeadlessBrowser(callback);
    const first = await browser.visit(`${identity}/authorize?${params.toString()}`);
    const next = first.document.querySelector("a[rel=next]")?.getAttribute("href") ?? "";
    return { clientId, browser, page: await browser.visit(new URL(next, first.url).href) };
  }

  async function finish(begun: Awaited<ReturnType<typeof begin>>): Promise<Record<string, string>> {
    const { clientId, browser } = begun;
    const form = await browser.submit(begun.page, { login: "engineer" });
    const last = await browser.submit(form, { justification: "INC-3: one of three died" });
    const code = new URL(last.url).searchParams.get("code") ?? "";
    return token({
      grant_type: "authorization_code",
      client_id: clientId,
      code,
      redirect_uri: callback,
      code_verifier: verifier,
    });
  }

  const token = async (form: Record<string, string>): Promise<Record<string, string>> => {
    const response = await fetch(`${suite.urls.identity}/token`, {
      method: "POST",
      body: new URLSearchParams(form),
    });
    return (await response.json()) as Record<string, string>;
  };

  it("logs people in, whichever replica each request meets", async () => {
    for (let login = 0; login < logins; login += 1) {
      const answer = await finish(await begin());
      expect(decodeJwt(answer["access_token"] ?? "")).toMatchObject({ iss: suite.urls.identity });
    }
    expect([...answered.values()].filter((count) => count > logins)).toHaveLength(replicas.length);
  });

  it("has a session wait at all of them, and goes on at whichever is asked once it is approved", async () => {
    const { clientId, browser, page } = await begin();
    const form = await browser.submit(page, { login: "contractor" });
    const waiting = await browser.submit(form, { justification: "INC-4: three that wait" });
    const address = waiting.url.replace(/\/session$/, "");
    const lead = await apiTokenOf("lead", suite.urls.identity);
    for (let look = 0; look < replicas.length; look += 1) {
      const again = await browser.visit(address);
      expect(again.document.querySelector("h1")?.textContent).toBe("Waiting for an approval");
    }
    const approval = await eventually(async () => {
      const { json } = await callApi(lead, `${suite.urls.approval}/approvals?status=pending`);
      return (json as ApprovalView[]).find(({ kind }) => kind === "session");
    }, "The approval request");
    const decision = { decision: "approve" };
    await callApi(lead, `${suite.urls.approval}/approvals/${approval.approvalId}/decision`, decision);
    const last = await eventually(async () => {
      const next = await browser.visit(address);
      return next.url.startsWith(callback) ? next : undefined;
    }, "The way back to the client");
    const answer = await token({
      grant_type: "authorization_code",
      client_id: clientId,
      code: new URL(last.url).searchParams.get("code") ?? "",
      redirect_uri: callback,
      code_verifier: verifier,
    });
    expect(decodeJwt(answer["access_token"] ?? "")["sid"]).toBe(approval.sessionId);
  });

  it("completes a login in whose middle a replica is killed, and refreshes what a dead one issued", async () => {
    const begun = await begin();
    const [victim] = replicas;
    victim?.process.kill("SIGKILL");
    await once(victim?.process as ChildProcess, "exit");
    const answer = await finish(begun);
    expect(answer["access_token"]).toBeTruthy();
    const refreshed = await token({
      grant_type: "refresh_token",
      client_id: begun.clientId,
      refresh_token: answer["refresh_token"] ?? "",
    });
    expect(decodeJwt(refreshed["access_token"] ?? "")["sid"]).toBe(
      decodeJwt(answer["access_token"] ?? "")["sid"],
    );
  });
});
