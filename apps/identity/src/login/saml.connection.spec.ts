import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inflateRawSync } from "node:zlib";
import type { SamlProvider } from "@countersign/configuration";
import express, { type ErrorRequestHandler } from "express";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Seals } from "../seals.js";
import {
  assertionOf,
  encrypted,
  honest,
  idpEntityId,
  logoutRequestOf,
  requestIn,
  responseOf,
  type Said,
  samlKeys,
  signed,
} from "../testing/saml-idp.fixture.js";
import { LoginStates } from "./login-state.js";
import { SamlConnection } from "./saml.connection.js";

const idp = samlKeys();
const stranger = samlKeys();
const own = samlKeys();
const folder = mkdtempSync(join(tmpdir(), "countersign-saml-"));

let server: Server;
let origin: string;
let connection: SamlConnection;

/** Keeps things as the database does: what was taken is gone, and nothing is put twice. */
const memoryOf = () => {
  const kept = new Map<string, unknown>();
  return {
    put: async (id: string, value: object) => !kept.has(id) && kept.set(id, value) !== undefined,
    find: async (id: string) => kept.get(id),
    take: async (id: string) => {
      const value = kept.get(id);
      kept.delete(id);
      return value;
    },
  };
};

beforeAll(async () => {
  const certificate = join(folder, "idp.pem");
  writeFileSync(certificate, idp.publicKey);
  writeFileSync(join(folder, "own.pem"), own.privateKey);
  const app = express();
  server = createServer(app).listen(0, "127.0.0.1");
  await once(server, "listening");
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider: SamlProvider = {
    id: "company",
    title: "Company",
    type: "saml",
    entityId: idpEntityId,
    ssoUrl: "https://idp.example.com/sso",
    sloUrl: "https://idp.example.com/slo",
    certificateFiles: [certificate],
    decryptionKey: { file: join(folder, "own.pem") },
    groupsAttribute: "groups",
    nameAttribute: "displayName",
    emailAttribute: "email",
    emailDomains: [],
    groupNames: {},
    mfaContexts: ["https://refeds.org/profile/mfa"],
  };
  const states = new LoginStates(new Seals("0123456789abcdef0123456789abcdef"), false, () => new Date());
  const memory = { requests: memoryOf(), assertions: memoryOf(), answers: memoryOf() };
  connection = new SamlConnection(provider, origin, states, memory);
  app.get("/begin", (request, response, next) => {
    const demand = request.query["fresh"] === undefined ? {} : { ageSecondsMax: 60, mfa: true };
    connection.begin({ interaction: "interaction-1", ...demand }, request, response).catch(next);
  });
  app.post("/login/company/callback", express.urlencoded({ extended: false }), (request, response, next) => {
    connection.receive(request, response).then((location) => response.redirect(303, location), next);
  });
  app.get("/login/company/callback", (request, response, next) => {
    connection.finish(request, response).then((finished) => response.json(finished), next);
  });
  app.get("/metadata", (_request, response) => void response.type("xml").send(connection.metadata()));
  app.use(((error: { code?: string; message: string }, _request, response, _next) => {
    response.status(403).json({ code: error.code, message: error.message });
  }) satisfies ErrorRequestHandler);
});
afterAll(() => {
  server.close().closeAllConnections();
  rmSync(folder, { recursive: true });
});

interface Begun {
  readonly cookie: string;
  readonly said: Said;
  readonly xml: string;
}

async function begin(query = ""): Promise<Begun> {
  const response = await fetch(`${origin}/begin${query}`, { redirect: "manual" });
  const { id, xml } = requestIn(response.headers.get("location") ?? "");
  const cookie = response.headers.getSetCookie().map((line) => line.split(";")[0]);
  return {
    cookie: cookie.join("; "),
    xml,
    said: honest({
      audience: `${origin}/login/company/metadata`,
      recipient: `${origin}/login/company/callback`,
      inResponseTo: id,
    }),
  };
}

/** The browser brings a form from the provider's page, without our cookies, and then follows with them. */
async function bring(xml: string, cookie: string) {
  const posted = await fetch(`${origin}/login/company/callback`, {
    method: "POST",
    body: new URLSearchParams({ SAMLResponse: Buffer.from(xml).toString("base64") }),
    redirect: "manual",
  });
  const location = posted.headers.get("location");
  const response = location === null ? posted : await fetch(location, { headers: { cookie } });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const logIn = async (change: (said: Said) => Partial<Said> = () => ({}), query = "") => {
  const { cookie, said } = await begin(query);
  const changed = { ...said, ...change(said) };
  return bring(responseOf(signed(assertionOf(changed), idp.privateKey), said.inResponseTo), cookie);
};

const refused = { status: 403, body: { code: "login_failed" } };

describe("a SAML login", () => {
  it("tells who it is, in which groups, how and when they proved themselves", async () => {
    const { status, body } = await logIn(() => ({ authnInstant: new Date("2026-11-22T10:00:00Z") }));
    expect(status).toBe(200);
    expect(body).toEqual({
      interaction: "interaction-1",
      providerSession: "s1",
      login: {
        principal: {
          id: "company:erin",
          kind: "human",
          name: "Erin Engineer",
          email: "erin@example.com",
          groups: ["payments-engineers"],
        },
        authentication: {
          provider: "company",
          acr: "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
          authTime: "2026-11-22T10:00:00.000Z",
        },
      },
    });
  });

  it("takes an assertion that is encrypted to us, but not one that nobody signed inside", async () => {
    const { cookie, said } = await begin();
    const bare = await encrypted(assertionOf(said), own.publicKey);
    expect(await bring(responseOf(bare, said.inResponseTo), cookie)).toMatchObject(refused);
    const again = await begin();
    const sealed = await encrypted(signed(assertionOf(again.said), idp.privateKey), own.publicKey);
    expect(await bring(responseOf(sealed, again.said.inResponseTo), again.cookie)).toMatchObject({
      status: 200,
    });
  });

  it("gives no groups where the provider names none, and counts a declared context as several factors", async () => {
    const { body } = await logIn(() => ({ attributes: {}, context: "https://refeds.org/profile/mfa" }));
    expect(body).toMatchObject({ login: { principal: { groups: [] }, authentication: { mfa: true } } });
  });

  it.each<[string, (said: Said) => Partial<Said>]>([
    ["is by another provider", () => ({ issuer: "https://evil.example.com" })],
    ["is for another audience", () => ({ audience: "https://other.example.com" })],
    ["is for another address", () => ({ recipient: "https://other.example.com/callback" })],
    ["answers another question", () => ({ inResponseTo: `_${"a".repeat(32)}` })],
    ["answers no question", () => ({ inResponseTo: undefined })],
    ["has expired", () => ({ notOnOrAfter: new Date(Date.now() - 60_000) })],
    ["is not valid yet", () => ({ notBefore: new Date(Date.now() + 120_000) })],
    [
      "names somebody for this time only",
      () => ({
        nameIdFormat: "urn:oasis:names:tc:SAML:2.0:nameid-format:transient",
      }),
    ],
  ])("fails where the assertion %s", async (_, change) => {
    expect(await logIn(change)).toMatchObject(refused);
  });

  it("fails where the assertion is signed by nobody, by a stranger, with SHA-1, or was altered", async () => {
    const versions: ((assertion: string) => string)[] = [
      (assertion) => assertion,
      (assertion) => signed(assertion, stranger.privateKey),
      (assertion) => signed(assertion, idp.privateKey, true),
      (assertion) => signed(assertion, idp.privateKey).replace("payments-engineers", "administrators"),
      // A comment must not cut a name short (CVE-2017-11427 and its kin).
      (assertion) => signed(assertion, idp.privateKey).replace(">erin<", ">ad<!---->erin<"),
    ];
    for (const version of versions) {
      const { cookie, said } = await begin();
      expect(await bring(responseOf(version(assertionOf(said)), said.inResponseTo), cookie)).toMatchObject(
        refused,
      );
    }
  });

  it("reads the whole of a name that has a comment in it", async () => {
    const { body } = await logIn(() => ({ nameId: "erin<!-- -->@example.com" }));
    expect(body).toMatchObject({ login: { principal: { id: "company:erin@example.com" } } });
  });

  it("asks for a new login with several factors where that is demanded, and takes no old one", async () => {
    const { xml } = await begin("?fresh");
    expect(xml).toContain('ForceAuthn="true"');
    expect(xml).toContain("https://refeds.org/profile/mfa");
    const old = () => ({ authnInstant: new Date(Date.now() - 3_600_000) });
    expect(await logIn(old, "?fresh")).toMatchObject(refused);
    expect(await logIn(undefined, "?fresh")).toMatchObject({ status: 200 });
  });

  it("describes this service to the provider", async () => {
    const metadata = await (await fetch(`${origin}/metadata`)).text();
    expect(metadata).toContain(`${origin}/login/company/callback`);
    expect(metadata).toContain('WantAssertionsSigned="true"');
  });
});

describe("a SAML answer", () => {
  it("counts once, even if two bring it at the same moment", async () => {
    const { cookie, said } = await begin();
    const xml = responseOf(signed(assertionOf(said), idp.privateKey), said.inResponseTo);
    const answers = await Promise.all([bring(xml, cookie), bring(xml, cookie), bring(xml, cookie)]);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await bring(xml, cookie)).toMatchObject(refused);
  });

  it("does not count again as the answer to another question", async () => {
    const [first, second] = [await begin(), await begin()];
    const assertion = signed(assertionOf(first.said), idp.privateKey);
    expect(await bring(responseOf(assertion, second.said.inResponseTo), second.cookie)).toMatchObject(
      refused,
    );
    const unbound = signed(assertionOf({ ...second.said, inResponseTo: undefined }), idp.privateKey);
    expect(await bring(responseOf(unbound, second.said.inResponseTo), second.cookie)).toMatchObject(refused);
  });

  it("does not count in a browser that did not ask", async () => {
    const [mine, theirs] = [await begin(), await begin()];
    const xml = responseOf(signed(assertionOf(mine.said), idp.privateKey), mine.said.inResponseTo);
    expect(await bring(xml, theirs.cookie)).toMatchObject({ status: 403, body: { code: "login_unknown" } });
  });

  it("counts for nothing where it comes without a question", async () => {
    const { cookie, said } = await begin();
    const unasked = { ...said, inResponseTo: undefined };
    const xml = responseOf(signed(assertionOf(unasked), idp.privateKey), undefined);
    expect(await bring(xml, cookie)).toMatchObject(refused);
  });
});

/** Signature wrapping: a signed assertion is there, and a forged one is to be read in its place. */
describe("a forged assertion", () => {
  const parts = async () => {
    const { cookie, said } = await begin();
    const genuine = signed(assertionOf(said), idp.privateKey);
    const forged = (id = "_forged") =>
      assertionOf({ ...said, assertionId: id, nameId: "admin", attributes: { groups: ["administrators"] } });
    const [signature = ""] = /<Signature[\s\S]*<\/Signature>/.exec(genuine) ?? [];
    const without = genuine.replace(signature, "");
    return { cookie, said, genuine, forged, signature, without };
  };
  const inside = (outer: string, wrapped: string) =>
    outer.replace("</saml:Issuer>", `</saml:Issuer>${wrapped}`);
  const extension = (content: string) =>
    `<samlp:Extensions xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol">${content}</samlp:Extensions>`;

  it.each<[string, (given: Awaited<ReturnType<typeof parts>>) => string]>([
    ["stands before the signed one", ({ forged, genuine }) => forged() + genuine],
    ["stands after the signed one", ({ forged, genuine }) => genuine + forged()],
    ["takes the id of the signed one", ({ forged, genuine, said }) => forged(said.assertionId) + genuine],
    ["wraps the signed one", ({ forged, genuine }) => inside(forged(), genuine)],
    [
      "wraps the signature, which wraps the signed one",
      ({ forged, signature, without }) =>
        inside(forged(), signature.replace("</Signature>", `<Object>${without}</Object></Signature>`)),
    ],
    [
      "carries the signature of one that is hidden in an extension",
      ({ forged, signature, without, said }) =>
        extension(without) + inside(forged(said.assertionId), signature),
    ],
    ["has the signed one hidden in an extension", ({ forged, genuine }) => extension(genuine) + forged()],
    ["carries a signature that is not about it", ({ forged, signature }) => inside(forged(), signature)],
    [
      "is wrapped by the signed one",
      ({ forged, genuine }) =>
        genuine.replace("</saml:AttributeStatement>", `</saml:AttributeStatement>${forged()}`),
    ],
  ])("is not believed where it %s", async (_, forge) => {
    const given = await parts();
    const { status, body } = await bring(responseOf(forge(given), given.said.inResponseTo), given.cookie);
    expect(JSON.stringify(body)).not.toContain("admin");
    expect(status).toBe(403);
  });

  it("is not believed by entities that are declared on the way", async () => {
    const { cookie, said, genuine } = await parts();
    const doctype = `<!DOCTYPE r [<!ENTITY who SYSTEM "file:///etc/hostname">]>`;
    const xml = doctype + responseOf(genuine.replace(">erin<", ">&who;<"), said.inResponseTo);
    expect(await bring(xml, cookie)).toMatchObject(refused);
  });
});

describe("a logout that the provider tells of", () => {
  it("is answered where the provider says, to the request that it was", async () => {
    const xml = logoutRequestOf({ destination: `${origin}/login/company/logout`, nameId: "erin", id: "_r1" });
    const encoded = Buffer.from(signed(xml, idp.privateKey, false, "LogoutRequest")).toString("base64");
    const request = await connection.logoutRequest(encoded, new Date());
    expect(request).toMatchObject({ nameId: "erin", sessionIndex: "s1" });
    const answer = new URL((await connection.logoutAnswer(request, "state-1")) ?? "");
    expect(answer.origin + answer.pathname).toBe("https://idp.example.com/slo");
    expect(answer.searchParams.get("RelayState")).toBe("state-1");
    const said = inflateRawSync(
      Buffer.from(answer.searchParams.get("SAMLResponse") ?? "", "base64"),
    ).toString();
    expect(said).toContain('InResponseTo="_r1"');
    expect(said).toContain("status:Success");
  });

  it("is nothing where it is too large, or no text", async () => {
    for (const given of [undefined, ["a"], "a".repeat(64 * 1024 + 1)])
      await expect(connection.logoutRequest(given, new Date())).rejects.toMatchObject({
        code: "login_failed",
      });
  });
});
