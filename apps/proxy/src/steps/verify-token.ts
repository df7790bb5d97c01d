import type { IncomingHttpHeaders } from "node:http";
import { bearerOf, TokenRefused, type TokenVerifier } from "@countersign/service-kit";
import { Refusal } from "../refusal.js";

/** What the proxy believes of a token: who, which client, which session. */
export interface Claims {
  readonly principalId: string;
  readonly clientId: string;
  readonly sessionId: string;
}

/** Verifies the access token for exactly this endpoint; `resource` is its identifier (RFC 8707). */
export async function verifyToken(
  headers: IncomingHttpHeaders,
  resource: string,
  tokens: TokenVerifier,
): Promise<Claims> {
  const token = bearerOf(headers.authorization);
  if (!token) throw unauthorized("token_missing", "Log in to use this endpoint.");
  try {
    const { sub, sid, client_id: clientId } = await tokens.verify(token, resource);
    if (typeof sid !== "string" || typeof clientId !== "string") {
      throw unauthorized("token_invalid", "The access token is for no session; log in again.");
    }
    return { principalId: sub, clientId, sessionId: sid };
  } catch (cause) {
    if (cause instanceof TokenRefused) throw unauthorized("token_invalid", cause.message, cause);
    throw cause;
  }
}

const unauthorized = (reason: "token_missing" | "token_invalid", message: string, cause?: unknown): Refusal =>
  new Refusal(reason, message, { httpStatus: 401, cause });
