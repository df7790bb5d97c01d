import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { exportJWK, generateKeyPair } from "jose";

/** What a spec wants to be configured beside a company and its identity provider. */
export interface Configured {
  /** Signs for workloads, for agents and for the provider `partner`; without it there are none. */
  readonly tokenIssuer?: string;
  /** The public keys of the machine `deploy-bot`. */
  readonly machineKeys?: object;
  /** The certificate (PEM) of the provider `saml`, which speaks SAML. */
  readonly samlCertificate?: string;
  /** The description of a client that is known beforehand. */
  readonly clientDocument?: object;
  /** Private signing keys, the first of which signs. */
  readonly signingKeys?: readonly object[];
  readonly env?: Record<string, string>;
}

/** Writes the files that the service reads, and answers the environment that names them. */
export async function environmentIn(
  folder: string,
  company: { readonly providerId: string; readonly idpIssuer: string },
  given: Configured,
): Promise<Record<string, string>> {
  const { providerId, idpIssuer } = company;
  const text =
    configuration(providerId, idpIssuer, await morePeople(folder, given)) + (await extras(folder, given));
  return {
    COUNTERSIGN_CONFIG: await put(folder, "countersign.yaml", text),
    IDENTITY_KEYS_FILE: await put(
      folder,
      "keys.json",
      given.signingKeys ? JSON.stringify({ keys: given.signingKeys }) : await signingKeys(),
    ),
    COOKIE_SECRET_FILE: await put(folder, "cookies", randomBytes(32).toString("hex")),
    REGISTRATIONS_PER_HOUR: "1000",
    REQUESTS_PER_MINUTE: "100000",
    ...given.env,
    ...(given.clientDocument
      ? { CLIENT_METADATA_FOLDER: await documentFolder(folder, given.clientDocument) }
      : {}),
  };
}

const configuration = (providerId: string, idpIssuer: string, more: string): string => `
identityProviders:
  - id: ${providerId}
    title: Company account
    type: oidc
    issuer: ${idpIssuer}
    clientId: countersign
    clientSecret: { env: TEST_IDP_SECRET }
    scopes: [openid, profile, email, groups]
    emailDomains: [example.com]
${more}endpoints:
  - name: payments
    upstream: { url: http://127.0.0.1:1/mcp }
policies: ${fileURLToPath(new URL("../../../../policies", import.meta.url))}
workloadIssuers:
  - id: ci
    issuer: ${idpIssuer}
    audience: urn:countersign
`;

const partner = (issuer: string): string => `  - id: partner
    title: Partner account
    type: oidc
    issuer: ${issuer}
    clientId: countersign
    clientSecret: { env: TEST_IDP_SECRET }
    assertionGrant: true
`;

async function documentFolder(folder: string, document: object): Promise<string> {
  const path = join(folder, "clients");
  await mkdir(path);
  await put(path, "client.json", JSON.stringify(document));
  return path;
}

/** Providers that only some specs need. */
async function morePeople(folder: string, { tokenIssuer, samlCertificate }: Configured): Promise<string> {
  const saml = samlCertificate
    ? `  - id: saml
    title: SAML account
    type: saml
    entityId: https://idp.example.com/saml
    ssoUrl: https://idp.example.com/sso
    certificateFiles: [${await put(folder, "saml.pem", samlCertificate)}]
    emailDomains: [saml.example.com]
`
    : "";
  return (tokenIssuer === undefined ? "" : partner(tokenIssuer)) + saml;
}

/** What only some specs need: another identity provider, the workloads of an issuer, a machine with a key. */
async function extras(folder: string, { tokenIssuer, machineKeys }: Configured): Promise<string> {
  const clients = machineKeys
    ? `clients:
  - id: deploy-bot
    title: Deploy bot
    jwksFile: ${await put(folder, "deploy-bot.json", JSON.stringify(machineKeys))}
    groups: [payments-ci]
`
    : "";
  return tokenIssuer === undefined
    ? clients
    : `  - id: pipelines
    issuer: ${tokenIssuer}
    audience: urn:countersign
    workloads:
      - name: deploy
        claims: { repository: acme/payments, ref: refs/heads/* }
        groups: [payments-ci]
${clients}`;
}

async function signingKeys(): Promise<string> {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  return JSON.stringify({ keys: [await exportJWK(privateKey)] });
}

async function put(folder: string, name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text, { mode: 0o600 });
  return path;
}
