import { z } from "zod";
import { define, type DataOf } from "./define.js";
import { authentication, client, endpointName, id, principal, time } from "./primitives.js";

export const principalAuthenticated = define(
  "PrincipalAuthenticated",
  z.object({
    principal,
    authentication,
    client: client.optional(),
    endpoint: endpointName.optional(),
    clientAddress: z.string().optional(),
  }),
  "A person or workload proved itself by the company's identity provider.",
);

export const authenticationFailed = define(
  "AuthenticationFailed",
  z.object({
    reason: z.string(),
    provider: z.string().optional(),
    client: client.optional(),
    clientAddress: z.string().optional(),
  }),
  "A login did not succeed.",
);

export const clientRegistered = define(
  "ClientRegistered",
  z.object({ client, redirectUris: z.array(z.string()), clientAddress: z.string().optional() }),
  "An OAuth client registered itself.",
);

export const accessTokenIssued = define(
  "AccessTokenIssued",
  z.object({
    tokenId: z.string().describe("The token's `jti`; never the token."),
    principalId: z.string(),
    client,
    audience: z.string(),
    sessionId: id.optional().describe("Absent for a token for Countersign's own API."),
    expiresAt: time,
  }),
  "An access token for exactly one audience was issued.",
);

export const identityEvents = [
  principalAuthenticated,
  authenticationFailed,
  clientRegistered,
  accessTokenIssued,
] as const;

export type PrincipalAuthenticated = DataOf<typeof principalAuthenticated>;
export type AuthenticationFailed = DataOf<typeof authenticationFailed>;
export type ClientRegistered = DataOf<typeof clientRegistered>;
export type AccessTokenIssued = DataOf<typeof accessTokenIssued>;
