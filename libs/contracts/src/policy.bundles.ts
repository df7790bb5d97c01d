import { z } from "zod";
import { define, type DataOf } from "./define.js";
import { endpointName, time } from "./primitives.js";

/** Where a secret is, never what it is. */
export const secretReference = z.union([
  z.strictObject({ env: z.string().min(1) }),
  z.strictObject({ file: z.string().min(1) }),
]);
export type SecretReference = z.infer<typeof secretReference>;

export const upstreamCredential = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("none") }),
  z.strictObject({ type: z.literal("bearer"), token: secretReference }),
  z.strictObject({ type: z.literal("header"), name: z.string(), value: secretReference }),
  z.strictObject({ type: z.literal("basic"), username: z.string(), password: secretReference }),
]);
export type UpstreamCredential = z.infer<typeof upstreamCredential>;

export const endpoint = z.object({
  name: endpointName,
  title: z.string(),
  upstream: z.object({
    url: z.url(),
    credential: upstreamCredential,
    timeoutSeconds: z.int().positive(),
    forwardHeaders: z.array(z.string()).describe("Request headers of the client that may travel upstream."),
  }),
  session: z.object({
    durationSecondsMax: z.int().positive(),
    durationSecondsDefault: z.int().positive(),
    idleSeconds: z.int().positive(),
    justificationPattern: z.string().optional(),
  }),
  approval: z.object({ expirySeconds: z.int().positive() }),
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
