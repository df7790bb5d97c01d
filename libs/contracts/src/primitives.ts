import { z } from "zod";

/** UUIDv7 (RFC 9562): sortable by the time it was made. */
export const id = z.uuid();

/** RFC 3339 in UTC with milliseconds, as `Date.prototype.toISOString` writes it. */
export const time = z.iso.datetime({ precision: 3 });

/** Lower-case hexadecimal SHA-256. */
export const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** The name of an endpoint; it is the last part of `/mcp/<endpoint>` and of the token's audience. */
export const endpointName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, {
  error: "use 1 to 63 lower-case letters, digits and hyphens, starting with a letter or digit",
});

export const principal = z.object({
  id: z.string().describe("Stable: `<identity provider>:<subject>`."),
  kind: z.enum(["human", "workload"]),
  name: z.string().optional(),
  email: z.string().optional(),
  groups: z.array(z.string()).describe("What the identity provider vouched for at login; absent means none."),
});
export type Principal = z.infer<typeof principal>;

export const client = z.object({
  id: z.string().describe("OAuth 2.1 client id."),
  name: z.string().optional(),
});
export type Client = z.infer<typeof client>;

/** How the principal proved itself: OpenID Connect `amr`, `acr` and `auth_time` as the provider stated them. */
export const authentication = z.object({
  provider: z.string(),
  amr: z.array(z.string()).optional(),
  acr: z.string().optional(),
  authTime: time.optional(),
  mfa: z.boolean().optional().describe("Whether several factors were used, by `amr` and the configuration."),
});
export type Authentication = z.infer<typeof authentication>;
