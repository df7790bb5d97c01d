import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { describe, expect, it } from "vitest";
import { configurationSchema } from "./schema.js";

const oidc = {
  id: "company",
  title: "Company",
  type: "oidc",
  issuer: "https://login.example.com",
  clientId: "countersign",
  clientSecret: { env: "SECRET" },
};
const saml = {
  id: "company",
  title: "Company",
  type: "saml",
  entityId: "https://idp.example.com/saml",
  ssoUrl: "https://idp.example.com/sso",
  certificateFiles: ["idp.pem"],
};
const endpoint = { name: "payments", upstream: { url: "http://127.0.0.1/mcp" } };
const whole = (more: object) => ({ identityProviders: [oidc], endpoints: [endpoint], ...more });
const problemsOf = (more: object): string[] =>
  configurationSchema({})
    .safeParse(whole(more))
    .error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`) ?? [];

describe("who is believed", () => {
  it.each<[string, object, string]>([
    [
      "by a protocol that is none",
      { identityProviders: [{ ...oidc, type: "ldap" }] },
      "identityProviders.0.type",
    ],
    [
      "by SAML without a certificate",
      { identityProviders: [{ ...saml, certificateFiles: [] }] },
      "certificateFiles",
    ],
    [
      "by a mixture of both",
      { identityProviders: [{ ...saml, issuer: "https://x.example" }] },
      "identityProviders.0",
    ],
    [
      "for a domain that is an address",
      { identityProviders: [{ ...oidc, emailDomains: ["a@b.c"] }] },
      "emailDomains",
    ],
    [
      "under the name that is kept for machines",
      { identityProviders: [{ ...oidc, id: "client" }] },
      "identityProviders.0.id",
    ],
    [
      "as any workload at all",
      {
        workloadIssuers: [
          { id: "ci", issuer: "https://ci.example", audience: "a", workloads: [{ name: "x", claims: {} }] },
        ],
      },
      "claims",
    ],
    ["as a machine without a key", { clients: [{ id: "bot" }] }, "clients.0"],
    [
      "as a machine with two",
      { clients: [{ id: "bot", jwksFile: "a", jwksUrl: "https://a.example" }] },
      "clients.0",
    ],
    [
      "without bound",
      { endpoints: [{ ...endpoint, session: { perPrincipal: 0 } }] },
      "endpoints.0.session.perPrincipal",
    ],
    [
      "for longer than a day",
      { endpoints: [{ ...endpoint, session: { maxAuthAge: "2d" } }] },
      "endpoints.0.session.maxAuthAge",
    ],
  ])("is not said %s", (_, more, where) => {
    expect(problemsOf(more).join()).toContain(where);
  });

  it("may be several, each by its own protocol", () => {
    const partner = { ...saml, id: "partner", decryptionKey: { file: "key.pem" } };
    expect(problemsOf({ identityProviders: [oidc, partner] })).toEqual([]);
    const session = { perPrincipal: 3, requireMfa: true, maxAuthAge: "1h" };
    expect(
      problemsOf({ endpoints: [{ ...endpoint, session }], clients: [{ id: "bot", jwksFile: "a" }] }),
    ).toEqual([]);
  });

  it("is what docs/identity.md says", async () => {
    const text = await readFile(new URL("../../../docs/identity.md", import.meta.url), "utf8");
    const examples = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, example = ""]) => example);
    expect(examples.length).toBeGreaterThanOrEqual(2);
    for (const example of examples) expect(problemsOf(parse(example) as object)).toEqual([]);
  });
});
