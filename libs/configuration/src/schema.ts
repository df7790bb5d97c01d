import { cardDataPolicy, endpointName, secretReference } from "@countersign/contracts";
import { z } from "zod";
import { byteSize } from "./byte-size.js";
import { duration, text, webUrl } from "./fields.js";
import { upstream } from "./upstream.schema.js";

/** PCI DSS 8.2.8: whoever was idle for longer than this has to prove themselves again. */
export const idleSecondsMax = 15 * 60;
/** The proxy reads back this far when it starts, so no session may be longer. */
export const sessionSecondsMax = 24 * 3_600;
/** Sessions go on sealing for as long as they last, so their keys must outlive them. */
export const originalsSecondsMin = sessionSecondsMax;
const originalsSecondsMax = 3_650 * 86_400;
/** A call that waits longer has no client left. */
export const approvalSecondsMax = 24 * 3_600;
/** Escaped, masked and wrapped, a message of this size still fits the largest record (`recordBytesMax`). */
export const messageBytesMax = 6 * 1024 * 1024;

const regularExpression = z.string().refine(compiles, { error: "must be a regular expression" });

function compiles(pattern: string): boolean {
  try {
    return Boolean(new RegExp(pattern, "u"));
  } catch {
    return false;
  }
}

const secret = secretReference;

const identityProvider = (env: NodeJS.ProcessEnv) =>
  z.strictObject({
    id: endpointName,
    title: z.string().min(1).max(80),
    type: z.literal("oidc"),
    issuer: webUrl(env),
    clientId: text(env),
    clientSecret: secret,
    groupsClaim: z.string().min(1).default("groups"),
    scopes: z.array(z.string().min(1)).default(["openid", "profile", "email"]),
  });

const workloadIssuer = (env: NodeJS.ProcessEnv) =>
  z.strictObject({
    id: endpointName,
    issuer: webUrl(env),
    audience: text(env),
    /** Where the issuer's keys are, where its metadata does not say or cannot be reached. */
    jwksUrl: webUrl(env).optional(),
    groupsClaim: z.string().min(1).default("groups"),
    /** Groups that every workload of this issuer has, for issuers that state none. */
    groups: z.array(z.string().min(1)).default([]),
  });

const endpoint = (env: NodeJS.ProcessEnv) =>
  z.strictObject({
    name: endpointName,
    title: z.string().min(1).max(80).optional(),
    upstream: upstream(env),
    session: z
      .strictObject({
        maximum: duration(sessionSecondsMax, "no session is longer than a day").default(3_600),
        default: duration(sessionSecondsMax, "no session is longer than a day").default(1_800),
        idle: duration(idleSecondsMax, "PCI DSS 8.2.8").default(idleSecondsMax),
        justification: regularExpression.optional(),
      })
      .refine((session) => session.default <= session.maximum, {
        error: "must not be longer than `maximum`",
        path: ["default"],
      })
      .prefault({}),
    approval: z
      .strictObject({
        expiresAfter: duration(approvalSecondsMax, "a call waits no longer than a day").default(600),
      })
      .prefault({}),
    /** How long an auditor can open what was sealed here; then the keys are destroyed (PCI DSS 3.2.1). */
    originalsRetention: duration(originalsSecondsMax, "ten years")
      .refine((seconds) => seconds >= originalsSecondsMin, {
        error: "must be at least 1d: a session may still need its key",
      })
      .default(90 * 86_400),
    messageLimit: z
      .string({ error: "must be a size such as 512KiB or 4MiB" })
      .transform((size, context) => {
        const bytes = byteSize(size);
        if (bytes !== undefined && bytes <= messageBytesMax) return bytes;
        context.addIssue({ code: "custom", message: "must be a size such as 512KiB or 4MiB, at most 6MiB" });
        return z.NEVER;
      })
      .default(4 * 1024 * 1024),
  });

/** The shape of `countersign.yaml`. The environment only fills in texts that may name variables. */
export const configurationSchema = (env: NodeJS.ProcessEnv) =>
  z.strictObject({
    identityProviders: z.array(identityProvider(env)).min(1, { error: "must name at least one" }),
    workloadIssuers: z.array(workloadIssuer(env)).default([]),
    endpoints: z.array(endpoint(env)).min(1, { error: "must name at least one" }),
    policies: z.string().min(1).default("./policies"),
    cardData: z
      .strictObject({
        ...cardDataPolicy.omit({ version: true, allow: true }).shape,
        allow: z
          .array(
            z.strictObject({ pattern: regularExpression, reason: z.string().min(1), expires: z.iso.date() }),
          )
          .default([]),
      })
      .prefault({}),
  });

export type ConfigurationInput = z.infer<ReturnType<typeof configurationSchema>>;
