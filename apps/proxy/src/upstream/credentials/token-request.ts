import { CountersignError, type UpstreamCredential } from "@countersign/contracts";
import { readBounded } from "@countersign/service-kit";
import { type Dispatcher, request } from "undici";
import { z } from "zod";

export type OAuthSettings = Extract<UpstreamCredential, { type: "oauth" }>;

export interface Token {
  readonly value: string;
  readonly lifetimeMs: number;
}

const answerMs = 10_000;
const answerBytesMax = 64 * 1024;
/** For servers that do not say, RFC 6749 only asks that it be documented. */
const lifetimeSecondsDefault = 300;

export class TokenRefused extends CountersignError {}

const answerSchema = z.object({
  access_token: z.string().regex(/^[\x21-\x7e]+$/),
  token_type: z.string().regex(/^bearer$/i),
  expires_in: z.coerce
    .number()
    .positive()
    .max(366 * 86_400)
    .default(lifetimeSecondsDefault),
});

/** Asks for a token by the client credentials grant. https://www.rfc-editor.org/rfc/rfc6749#section-4.4 */
export async function requestToken(
  settings: OAuthSettings,
  clientSecret: string,
  dispatcher?: Dispatcher,
): Promise<Token> {
  const { scope, resource, audience } = settings;
  const form = new URLSearchParams({ grant_type: "client_credentials" });
  for (const [name, value] of Object.entries({ scope, resource, audience })) if (value) form.set(name, value);
  let status: number;
  let text: string;
  try {
    const answer = await request(settings.tokenUrl, {
      method: "POST",
      headers: {
        authorization: `Basic ${basicPair(settings.clientId, clientSecret)}`,
        "content-type": "application/x-www-form-urlencoded",
        accept: "application/json",
      },
      body: form.toString(),
      signal: AbortSignal.timeout(answerMs),
      ...(dispatcher ? { dispatcher } : {}),
    });
    status = answer.statusCode;
    text = await readBounded(answer.body, answerBytesMax);
  } catch (cause) {
    throw new TokenRefused("token_endpoint_unavailable", "The upstream's token endpoint cannot be reached.", {
      cause,
    });
  }
  if (status !== 200) {
    throw new TokenRefused(
      "token_refused",
      `The upstream's token endpoint answered ${status}: look at the client id, its secret and its scope.`,
    );
  }
  const parsed = answerSchema.safeParse(jsonOf(text));
  if (!parsed.success) {
    throw new TokenRefused("token_refused", "The upstream's token endpoint answered without a bearer token.");
  }
  return { value: parsed.data.access_token, lifetimeMs: parsed.data.expires_in * 1_000 };
}

/** RFC 6749 section 2.3.1: both halves are form-encoded before they are joined. */
function basicPair(clientId: string, clientSecret: string): string {
  const encode = (text: string): string => new URLSearchParams({ "": text }).toString().slice(1);
  return Buffer.from(`${encode(clientId)}:${encode(clientSecret)}`).toString("base64");
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
