import { createHash, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually, HeadlessBrowser, type Page } from "@countersign/local";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { type Keycloak, startKeycloak } from "./keycloak.fixture.js";
import { readTopics } from "./read-topics.js";
import { startTestSuite } from "./suite.fixture.js";

const isAsked = process.env["COUNTERSIGN_KEYCLOAK"] === "1";
if (!isAsked) process.stderr.write("Keycloak is not tried: run `npm run journey:keycloak`.\n");

const repository = new URL("../../", import.meta.url).pathname;
const callback = "http://127.0.0.1:17654/callback";
const clientSecret = randomBytes(16).toString("hex");

/** An identity provider that we did not write: OpenID Connect and SAML, groups that come and go, logouts that it tells of. */
describe.skipIf(!isAsked)("people of a Keycloak", () => {
  let keycloak: Keycloak;
  let suite: Awaited<ReturnType<typeof startTestSuite>>;
  let folder: string;

  beforeAll(async () => {
    keycloak = await startKeycloak();
    folder = await mkdtemp(join(tmpdir(), "countersign-keycloak-config-"));
    const configFile = join(folder, "countersign.yaml");
    const given = parse(readFileSync(join(repository, "countersign.yaml"), "utf8")) as object;
    const configuration = {
      ...given,
      policies: join(repository, "policies"),
      identityProviders: [
        {
          id: "kc",
          title: "Keycloak",
          type: "oidc",
          issuer: keycloak.issuer,
          clientId: "countersign",
          clientSecret: { env: "KEYCLOAK_CLIENT_SECRET" },
        },
        {
          id: "kc-saml",
          title: "Keycloak by SAML",
          type: "saml",
          entityId: keycloak.entityId,
          ssoUrl: keycloak.ssoUrl,
          certificateFiles: [keycloak.certificateFile],
          subjectAttribute: "id",
        },
      ],
    };
    writeFileSync(configFile, stringify(configuration));
    suite = await startTestSuite(
      { KEYCLOAK_CLIENT_SECRET: clientSecret },
      { services: ["identity", "session-broker"], configFile },
    );
    const { identity } = suite.urls;
    await keycloak.addClient({
      clientId: "countersign",
      secret: clientSecret,
      redirectUris: [`${identity}/login/kc/callback`],
      attributes: {
        "backchannel.logout.url": `${identity}/login/kc/backchannel-logout`,
        "backchannel.logout.session.required": "true",
      },
      protocolMappers: [
        {
          name: "groups",
          protocol: "openid-connect",
          protocolMapper: "oidc-group-membership-mapper",
          config: {
            "claim.name": "groups",
            "full.path": "false",
            "id.token.claim": "true",
            "userinfo.token.claim": "true",
          },
        },
      ],
    });
    const property = (name: string, attribute: string) => ({
      name: attribute,
      protocol: "saml",
      protocolMapper: "saml-user-property-mapper",
      config: { "user.attribute": name, "attribute.name": attribute },
    });
    await keycloak.addClient({
      clientId: `${identity}/login/kc-saml/metadata`,
      protocol: "saml",
      redirectUris: [`${identity}/login/kc-saml/callback`],
      attributes: {
        "saml.assertion.signature": "true",
        "saml.client.signature": "false",
        "saml.force.post.binding": "true",
        "saml.signature.algorithm": "RSA_SHA256",
      },
      protocolMappers: [
        property("id", "id"),
        property("email", "email"),
        property("firstName", "displayName"),
        {
          name: "groups",
          protocol: "saml",
          protocolMapper: "saml-group-membership-mapper",
          config: { "attribute.name": "groups", "full.path": "false", single: "true" },
        },
      ],
    });
  }, 600_000);
  afterAll(async () => {
    await suite?.forget();
    await keycloak?.stop();
    if (folder) await rm(folder, { recursive: true });
  });

  const verifier = randomBytes(32).toString("base64url");
  let clientId = "";

  const token = async (form: Record<string, string>): Promise<Record<string, string>> => {
    const response = await fetch(`${suite.urls.identity}/token`, {
      method: "POST",
      body: new URLSearchParams(form),
    });
    return (await response.json()) as Record<string, string>;
  };

  async function register(): Promise<void> {
    const response = await fetch(`${suite.urls.identity}/register`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        redirect_uris: [callback],
        grant_types: ["authorization_code", "refresh_token"],
        token_endpoint_auth_method: "none",
      }),
    });
    clientId = ((await response.json()) as { client_id: string }).client_id;
  }

  /** Logs in as a person does, and states a reason; answers the last page. */
  async function logIn(title: string): Promise<Page> {
    await register();
    const params = new URLSearchParams({
      client_id: clientId,
      redirect_uri: callback,
      response_type: "code",
      code_challenge: createHash("sha256").update(verifier).digest("base64url"),
      code_challenge_method: "S256",
      resource: `${suite.urls.proxy}/mcp/payments`,
    });
    const browser = new HeadlessBrowser(callback);
    const choice = await browser.visit(`${suite.urls.identity}/authorize?${params.toString()}`);
    const link = choice.document
      .querySelectorAll("a")
      .find(({ textContent }) => textContent.endsWith(` ${title}`));
    const form = await browser.visit(new URL(link?.getAttribute("href") ?? "", choice.url).href);
    expect(form.url).toContain(keycloak.issuer);
    let page = await browser.submit(form, { username: "erin", password: "correct horse" });
    // SAML: the provider's page has the browser send its form on.
    if (page.document.querySelector("[name=SAMLResponse]")) page = await browser.submit(page);
    expect(page.document.textContent).toContain("What do you need it for?");
    return browser.submit(page, { justification: "INC-9: another identity provider" });
  }

  const redeem = (page: Page) =>
    token({
      grant_type: "authorization_code",
      client_id: clientId,
      code: new URL(page.url).searchParams.get("code") ?? "",
      redirect_uri: callback,
      code_verifier: verifier,
    });
  const refresh = (value: string | undefined) =>
    token({ grant_type: "refresh_token", client_id: clientId, refresh_token: value ?? "" });

  const endOf = (sessionId: unknown) =>
    eventually(async () => {
      const events = await readTopics(suite.brokers, ["session.events"]);
      return events.find(({ event }) => event.type === "SessionRevoked" && event.subject === sessionId)?.event
        .data as { cause: string } | undefined;
    }, "The end of the session");

  it.each([
    ["OpenID Connect", "Keycloak", /^kc:/],
    ["SAML", "Keycloak by SAML", /^kc-saml:/],
  ])("log in by %s, with the groups they have now and no others", async (_, title, id) => {
    await keycloak.setGroups("erin", []);
    const refused = await logIn(title);
    expect(refused.status).toBe(403);
    expect(refused.document.textContent).toContain("No policy permits it");
    await keycloak.setGroups("erin", ["payments-engineers"]);
    const { access_token: accessToken } = await redeem(await logIn(title));
    expect(decodeJwt(accessToken ?? "").sub).toMatch(id);
    const granted = (await readTopics(suite.brokers, ["session.events"])).filter(
      ({ event }) => event.type === "SessionGranted",
    );
    expect(granted.at(-1)?.event.data).toMatchObject({
      principal: { groups: ["payments-engineers"], email: "erin@example.com" },
      authentication: { authTime: expect.stringMatching(/Z$/) },
    });
  });

  it("lose their sessions with the next refresh once they lost the group", async () => {
    await keycloak.setGroups("erin", ["payments-engineers"]);
    const first = await redeem(await logIn("Keycloak"));
    const second = await refresh(first["refresh_token"]);
    expect(second["access_token"]).toBeTruthy();
    await keycloak.setGroups("erin", []);
    expect((await refresh(second["refresh_token"]))["error"]).toBe("invalid_grant");
    expect(await endOf(decodeJwt(first["access_token"] ?? "")["sid"])).toMatchObject({ cause: "groups" });
    await keycloak.setGroups("erin", ["payments-engineers"]);
  });

  it("lose their sessions when they are logged out there", async () => {
    const { access_token: accessToken } = await redeem(await logIn("Keycloak"));
    await keycloak.logOut("erin");
    expect(await endOf(decodeJwt(accessToken ?? "")["sid"])).toMatchObject({ cause: "logout" });
  });
});
