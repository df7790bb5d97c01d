import { createHash } from "node:crypto";
import type { CardDataPolicy, Endpoint, PolicyBundle } from "@countersign/contracts";
import type { PolicyFolder } from "./policy-folder.js";
import type { ConfigurationInput } from "./schema.js";

export type IdentityProvider = ConfigurationInput["identityProviders"][number];
export type WorkloadIssuer = ConfigurationInput["workloadIssuers"][number];
export type OidcProvider = Extract<IdentityProvider, { type: "oidc" }>;
export type SamlProvider = Extract<IdentityProvider, { type: "saml" }>;
export type KeyedClient = ConfigurationInput["clients"][number];
export type BundleContent = Omit<PolicyBundle, "publishedAt">;

/** A configuration that was checked as a whole. */
export interface Configuration {
  readonly identityProviders: readonly IdentityProvider[];
  readonly workloadIssuers: readonly WorkloadIssuer[];
  readonly clients: readonly KeyedClient[];
  /** The card-data policy; the masking service gives it a version when it publishes it. */
  readonly cardData: Omit<CardDataPolicy, "version">;
  /** What the session broker publishes. The version is the SHA-256 of the content, so the same files are one version. */
  bundle(): BundleContent;
}

export const configurationOf = (input: ConfigurationInput, folder: PolicyFolder): Configuration => {
  const { identityProviders, workloadIssuers, clients } = input;
  const content = {
    endpoints: input.endpoints.map(endpointOf).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    policies: [...folder.policies],
    schema: folder.schema,
  };
  // `content` is built key by key above, so equal configurations are equal as JSON.
  const version = createHash("sha256").update(JSON.stringify(content)).digest("hex");
  return {
    identityProviders,
    workloadIssuers,
    clients,
    cardData: { ...input.cardData, endpoints: cardDataOf(input.endpoints) },
    bundle: () => structuredClone({ version, ...content }),
  };
};

/**
 * What each endpoint adds, if only nothing: a proxy carries no call of an endpoint that this does not name. Sorted by
 * name, so that the same rules are the same policy in whatever order the endpoints come.
 */
const cardDataOf = (endpoints: ConfigurationInput["endpoints"]): CardDataPolicy["endpoints"] =>
  Object.fromEntries(
    endpoints.map(({ name, cardData }) => [name, cardData] as const).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );

const endpointOf = (given: ConfigurationInput["endpoints"][number]): Endpoint => ({
  name: given.name,
  title: given.title ?? given.name,
  upstream: upstreamOf(given.upstream),
  session: sessionOf(given.session),
  approval: { expirySeconds: given.approval.expiresAfter },
  originals: { retentionSeconds: given.originalsRetention },
  messageBytesMax: given.messageLimit,
});

const sessionOf = (given: ConfigurationInput["endpoints"][number]["session"]): Endpoint["session"] => ({
  durationSecondsMax: given.maximum,
  durationSecondsDefault: given.default,
  idleSeconds: given.idle,
  ...(given.justification === undefined ? {} : { justificationPattern: given.justification }),
  ...(given.justificationHint === undefined ? {} : { justificationHint: given.justificationHint }),
  sessionsPerPrincipalMax: given.perPrincipal,
  ...(given.requireMfa ? { mfaRequired: true } : {}),
  ...(given.maxAuthAge === undefined ? {} : { authenticationAgeSecondsMax: given.maxAuthAge }),
});

const upstreamOf = (given: ConfigurationInput["endpoints"][number]["upstream"]): Endpoint["upstream"] => {
  if (given.transport === "stdio") {
    const { workingDirectory } = given;
    return {
      transport: "stdio",
      command: given.command,
      ...(workingDirectory === undefined ? {} : { workingDirectory }),
      environment: given.environment,
      processesMax: given.processes,
      idleSeconds: given.idle,
      timeoutSeconds: given.timeout,
    };
  }
  return {
    ...(given.transport === undefined ? {} : { transport: given.transport }),
    url: given.url,
    credential: given.credential,
    timeoutSeconds: given.timeout,
    forwardHeaders: given.forwardHeaders.toSorted(),
  };
};
