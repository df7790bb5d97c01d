import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import {
  auth,
  discoverAuthorizationServerMetadata,
  exchangeAuthorization,
  type OAuthClientProvider,
  registerClient,
  startAuthorization,
} from "@modelcontextprotocol/sdk/client/auth.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { OAuthClientInformationMixed, OAuthTokens } from "@modelcontextprotocol/sdk/shared/auth.js";
import { apiAudience } from "@countersign/contracts";
import { LaunchError } from "../launch-error.js";
import { callbackUrl, logIn } from "./login.js";

const clientMetadata = (name: string) => ({
  client_name: name,
  redirect_uris: [callbackUrl],
  grant_types: ["authorization_code", "refresh_token"],
  response_types: ["code"],
  token_endpoint_auth_method: "none",
});

/** The memory of an MCP client; its browser is the headless one, in which `account` logs in. */
class ClientMemory implements OAuthClientProvider {
  readonly redirectUrl = callbackUrl;
  readonly clientMetadata = clientMetadata("Demo MCP client");
  #client: OAuthClientInformationMixed | undefined;
  #tokens: OAuthTokens | undefined;
  #verifier = "";
  code: Promise<string> | undefined;

  constructor(
    private readonly account: string,
    private readonly justification: string,
  ) {}

  clientInformation = () => this.#client;
  saveClientInformation = (client: OAuthClientInformationMixed) => void (this.#client = client);
  tokens = () => this.#tokens;
  saveTokens = (tokens: OAuthTokens) => void (this.#tokens = tokens);
  saveCodeVerifier = (verifier: string) => void (this.#verifier = verifier);
  codeVerifier = () => this.#verifier;
  redirectToAuthorization = (url: URL) => {
    this.code = logIn(url, this.account, this.justification);
    // Whoever awaits the code hears of a failed login; nobody does while the SDK is still at work.
    this.code.catch(() => undefined);
  };
}

export interface ConnectedClient {
  readonly client: Client;
  readonly token: string;
  close(): Promise<void>;
}

/**
 * A real MCP client that knows nothing but the endpoint's URL: it meets 401, discovers, registers, logs in as `account`
 * through the browser and connects.
 */
export async function connectAs(
  account: string,
  endpoint: string,
  justification: string,
): Promise<ConnectedClient> {
  const memory = new ClientMemory(account, justification);
  const serverUrl = new URL(endpoint);
  if ((await auth(memory, { serverUrl })) === "REDIRECT") {
    const authorizationCode = await memory.code;
    if (!authorizationCode) throw new LaunchError("login_failed", "The client never opened the browser.");
    await auth(memory, { serverUrl, authorizationCode });
  }
  const client = new Client({ name: "countersign-demo", version: "1.0.0" });
  await client.connect(new StreamableHTTPClientTransport(serverUrl, { authProvider: memory }));
  return { client, token: memory.tokens()?.access_token ?? "", close: () => client.close() };
}

/** An access token for Countersign's own APIs, as `account`. */
export const apiTokenOf = (account: string, issuer: string): Promise<string> =>
  tokenOf(account, issuer, apiAudience, `${account} looks after the gateway`);

/** An access token for an endpoint's URL or for the APIs, as `account`; for clients that do not log in by themselves. */
export async function tokenOf(
  account: string,
  issuer: string,
  audience: string,
  justification: string,
): Promise<string> {
  const metadata = await discoverAuthorizationServerMetadata(issuer);
  if (!metadata)
    throw new LaunchError("login_failed", `${issuer} publishes no metadata; is identity running?`);
  const resource = new URL(audience);
  const clientInformation = await registerClient(issuer, {
    metadata,
    clientMetadata: clientMetadata("Demo API client"),
  });
  const { authorizationUrl, codeVerifier } = await startAuthorization(issuer, {
    metadata,
    clientInformation,
    redirectUrl: callbackUrl,
    resource,
  });
  const authorizationCode = await logIn(authorizationUrl, account, justification);
  const tokens = await exchangeAuthorization(issuer, {
    metadata,
    clientInformation,
    authorizationCode,
    codeVerifier,
    redirectUri: callbackUrl,
    resource,
  });
  return tokens.access_token;
}

/** Whatever an API answered; the caller knows its shape. */
export type Json = ReturnType<typeof JSON.parse>;

/** A call of one of Countersign's APIs: its status and its JSON (or text). */
export async function callApi(
  token: string,
  url: string,
  body?: unknown,
): Promise<{ status: number; json: Json; text: string }> {
  const response = await fetch(url, {
    method: body === undefined ? "GET" : "POST",
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    body: body === undefined ? null : JSON.stringify(body),
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.includes("application/json") ?? false;
  return { status: response.status, json: isJson ? JSON.parse(text) : undefined, text };
}
