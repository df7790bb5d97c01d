import type { WorkloadIssuer } from "@countersign/configuration";
import { CountersignError } from "@countersign/contracts";
import { decodeJwt, type JWTPayload, jwtVerify } from "jose";
import { errors } from "oidc-provider";
import { authenticationOf } from "../domain/principal.js";
import { workloadOf } from "../domain/workload.js";
import { discover } from "../login/discovery.js";
import { keysAt, signatureAlgorithms } from "../login/oidc-tokens.js";
import type { Proof } from "./machine-session.js";

/** A proof of somebody without a browser that was not believed, in words that may be recorded and shown. */
export class ProofRefused extends CountersignError {
  constructor(message: string, options?: { cause?: unknown }) {
    super("proof_refused", message, options);
  }
}

export const tokenCharactersMax = 16_384;

/** Who the workload is, if its token is one of a configured issuer for us. Errors: InvalidGrant. */
export async function provedWorkload(token: string, issuers: readonly WorkloadIssuer[]): Promise<Proof> {
  return believed(async () => {
    const issuer = issuers.find(({ issuer }) => issuer === issuerOf(token));
    if (!issuer) throw new ProofRefused("the token is not of a configured workload issuer");
    const claims = await claimsOf(token, issuer);
    const principal = workloadOf(issuer, claims);
    if (!principal) throw new ProofRefused(`the token is of none of the workloads of ${issuer.id}`);
    return { principal, authentication: authenticationOf(issuer.id, claims) };
  });
}

/** Turns whatever is wrong with a proof into the answer that OAuth has for it. */
export async function believed<T>(prove: () => Promise<T>): Promise<T> {
  try {
    return await prove();
  } catch (cause) {
    const detail = cause instanceof CountersignError ? cause.message : "the proof could not be verified";
    throw new errors.InvalidGrant({ detail, cause: cause instanceof Error ? cause : undefined });
  }
}

async function claimsOf(token: string, issuer: WorkloadIssuer): Promise<JWTPayload> {
  const url = issuer.jwksUrl ?? (await discover(issuer.issuer)).jwks_uri;
  try {
    const { payload } = await jwtVerify(token, keysAt(url), {
      issuer: issuer.issuer,
      audience: issuer.audience,
      algorithms: signatureAlgorithms,
      requiredClaims: ["sub", "exp", "iat"],
      clockTolerance: 5,
    });
    return payload;
  } catch (cause) {
    throw new ProofRefused(`the token is not valid for audience ${issuer.audience}`, { cause });
  }
}

/** Who claims to have signed a token; nothing is believed of it before it is verified. */
export function issuerOf(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}
