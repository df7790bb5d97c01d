import { endpointName } from "@countersign/contracts";
import { z } from "zod";
import { byteSize } from "./byte-size.js";
import { cardData, endpointCardData } from "./card-data.schema.js";
import { duration } from "./fields.js";
import { identityProvider, keyedClient, workloadIssuer } from "./identity.schema.js";
import { upstream } from "./upstream.schema.js";

/** PCI DSS 8.2.8: whoever was idle for longer than this has to prove themselves again. */
export const idleSecondsMax = 15 * 60;
/** The proxy reads back this far when it starts, so no session may be longer. */
export const sessionSecondsMax = 24 * 3_600;
/** Sessions go on sealing for as long as they last, so their keys must outlive them. */
export const originalsSecondsMin = sessionSecondsMax;
const originalsSecondsMax = 3_650 * 86_400;
/** Many, since the jobs of a pipeline may share one principal; but never without end. */
const sessionsPerPrincipalDefault = 200;
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
        /** What people are told instead of the pattern, in a sentence of their own language. */
        justificationHint: z.string().trim().min(1).max(200).optional(),
        /** How many sessions one principal may have here at the same time. */
        perPrincipal: z.int().min(1).max(1_000).default(sessionsPerPrincipalDefault),
        /** People need more than one factor here (PCI DSS 8.4). */
        requireMfa: z.boolean().default(false),
        /** People must have logged in no longer ago than this when a session begins. */
        maxAuthAge: duration(sessionSecondsMax, "a login is believed no longer than a day").optional(),
      })
      .refine((session) => session.default <= session.maximum, {
        error: "must not be longer than `maximum`",
        path: ["default"],
      })
      .refine((session) => session.justificationHint === undefined || session.justification !== undefined, {
        error: "needs the `justification` that it explains",
        path: ["justificationHint"],
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
    /** What card data is here, on top of what it is everywhere, and what becomes of messages that hold it. */
    cardData: endpointCardData.prefault({}),
  });

/** The shape of `countersign.yaml`. The environment only fills in texts that may name variables. */
export const configurationSchema = (env: NodeJS.ProcessEnv) =>
  z.strictObject({
    identityProviders: z.array(identityProvider(env)).min(1, { error: "must name at least one" }),
    workloadIssuers: z.array(workloadIssuer(env)).default([]),
    clients: z.array(keyedClient(env)).default([]),
    endpoints: z.array(endpoint(env)).min(1, { error: "must name at least one" }),
    policies: z.string().min(1).default("./policies"),
    cardData: cardData.prefault({}),
  });

export type ConfigurationInput = z.infer<ReturnType<typeof configurationSchema>>;
