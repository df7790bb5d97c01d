import { z } from "zod";
import { define, type DataOf } from "./define.js";
import { endpointName, time } from "./primitives.js";

/** Where a secret is, never what it is. */
export const secretReference = z.union([
  z.strictObject({ env: z.string().min(1) }),
  z.strictObject({ file: z.string().min(1) }),
]);
export type SecretReference = z.infer<typeof secretReference>;

/** Upstreams may also have their secrets in HashiCorp Vault's key-value store, version 2. */
export const upstreamSecretReference = z.union([
  ...secretReference.options,
  z.strictObject({
    vault: z.strictObject({
      path: z
        .string()
        .regex(/^[\w.-]+(\/[\w.-]+)+$/)
        .refine((path) => !path.split("/").some((part) => part === "." || part === ".."))
        .describe("The mount and the path below it, such as secret/payments."),
      field: z.string().min(1),
    }),
  }),
]);
export type UpstreamSecretReference = z.infer<typeof upstreamSecretReference>;

export const upstreamCredential = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("none") }),
  z.strictObject({ type: z.literal("bearer"), token: upstreamSecretReference }),
  z.strictObject({ type: z.literal("header"), name: z.string(), value: upstreamSecretReference }),
  z.strictObject({ type: z.literal("basic"), username: z.string(), password: upstreamSecretReference }),
  z
    .strictObject({
      type: z.literal("oauth"),
      tokenUrl: z
        .url({ protocol: /^https?$/ })
        .refine((url) => !URL.canParse(url) || !new URL(url).username, {
          error: "must not hold a user name or password",
        }),
      clientId: z.string().min(1),
      clientSecret: upstreamSecretReference,
      scope: z.string().min(1).optional(),
      resource: z.url().optional().describe("RFC 8707."),
      audience: z.string().min(1).optional(),
    })
    .describe("The client credentials grant of OAuth 2 (RFC 6749 section 4.4)."),
]);
export type UpstreamCredential = z.infer<typeof upstreamCredential>;

const timeoutSeconds = z.int().positive();

export const httpUpstream = z.object({
  transport: z.enum(["streamable-http", "sse"]).optional().describe("streamable-http unless named."),
  url: z.url(),
  credential: upstreamCredential,
  timeoutSeconds,
  forwardHeaders: z.array(z.string()).describe("Request headers of the client that may travel upstream."),
});
export type HttpUpstream = z.infer<typeof httpUpstream>;

export const environmentValue = z.union([
  ...upstreamSecretReference.options,
  z.strictObject({ value: z.string() }),
]);
export type EnvironmentValue = z.infer<typeof environmentValue>;

/** A server that the gateway runs itself, a process for each MCP session. */
export const stdioUpstream = z.object({
  transport: z.literal("stdio"),
  command: z.array(z.string().min(1)).min(1).describe("The program and its arguments; no shell reads them."),
  workingDirectory: z.string().optional(),
  environment: z
    .record(z.string().regex(/^[A-Za-z_]\w*$/), environmentValue)
    .describe("All that the program gets besides PATH and a private HOME."),
  processesMax: z.int().positive().describe("At each proxy."),
  idleSeconds: z.int().positive(),
  timeoutSeconds,
});
export type StdioUpstream = z.infer<typeof stdioUpstream>;

export const endpoint = z.object({
  name: endpointName,
  title: z.string(),
  upstream: z.union([stdioUpstream, httpUpstream]),
  session: z.object({
    durationSecondsMax: z.int().positive(),
    durationSecondsDefault: z.int().positive(),
    idleSeconds: z.int().positive(),
    justificationPattern: z.string().optional(),
    justificationHint: z.string().optional().describe("What people are told instead of the pattern."),
    sessionsPerPrincipalMax: z.int().positive().optional().describe("At the same time; unbounded if absent."),
    mfaRequired: z.boolean().optional().describe("People need more than one factor."),
    authenticationAgeSecondsMax: z.int().positive().optional().describe("How old a person's login may be."),
  }),
  approval: z.object({ expirySeconds: z.int().positive() }),
  originals: z
    .object({ retentionSeconds: z.int().positive() })
    .optional()
    .describe("How long sealed originals can be opened; 90 days if absent."),
  messageBytesMax: z.int().positive(),
});
export type Endpoint = z.infer<typeof endpoint>;

export const policyBundlePublished = define(
  "PolicyBundlePublished",
  z.object({
    version: z.string().describe("SHA-256 of the bundle's content."),
    publishedAt: time,
    endpoints: z.array(endpoint),
    policies: z.array(z.object({ file: z.string(), text: z.string() })),
    schema: z.string().describe("The Cedar schema that the policies were validated against."),
  }),
  "The endpoints and the Cedar policies that hold from now on.",
);

export const policyBundles = [policyBundlePublished] as const;
export type PolicyBundle = DataOf<typeof policyBundlePublished>;
