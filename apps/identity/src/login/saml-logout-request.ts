import type { Profile, SAML } from "@node-saml/passport-saml";
import { LoginFailed, loginFailed } from "./login-errors.js";
import { weakSignature } from "./saml-assertion.js";

/** Whom a provider logged out, as its signed request says. */
export interface LogoutRequest {
  readonly profile: Profile;
  readonly nameId: string;
  readonly sessionIndex: string | undefined;
}

const requestCharactersMax = 64 * 1024;
/** How old a request may be; each counts once for longer than that. */
export const logoutAgeSecondsMax = 5 * 60;

/**
 * Reads a request to log somebody out (SAML profiles 4.4, HTTP POST binding). The library checks the signature over the
 * whole request, its issuer, and its end if it names one; what it leaves to others is checked here: that the request is
 * for this address, and of now. Errors: LoginFailed.
 */
export async function readLogoutRequest(
  saml: Pick<SAML, "validatePostRequestAsync">,
  encoded: unknown,
  expected: { readonly destination: string; readonly now: Date },
): Promise<LogoutRequest> {
  if (typeof encoded !== "string" || encoded.length > requestCharactersMax)
    throw new LoginFailed("There is no logout request.");
  const xml = Buffer.from(encoded, "base64").toString("utf8");
  if (weakSignature.test(xml))
    throw new LoginFailed("The identity provider signs with SHA-1; have it use SHA-256.");
  const { destination, issueInstant } = aboutRequest(xml);
  if (destination !== expected.destination)
    throw new LoginFailed("The logout request is for another address.");
  const ageMs = expected.now.getTime() - Date.parse(issueInstant ?? "");
  if (!(Math.abs(ageMs) <= logoutAgeSecondsMax * 1_000))
    throw new LoginFailed("The logout request is too old, or not of this time.");
  const profile = await verified(saml, encoded);
  const { nameID: nameId, sessionIndex } = profile;
  return { profile, nameId, sessionIndex };
}

async function verified(saml: Pick<SAML, "validatePostRequestAsync">, encoded: string): Promise<Profile> {
  let profile: Profile | null;
  try {
    ({ profile } = await saml.validatePostRequestAsync({ SAMLRequest: encoded }));
  } catch (cause) {
    throw new LoginFailed("The logout request is not valid.", { cause });
  }
  if (!profile) throw loginFailed(undefined);
  return profile;
}

/**
 * Attributes of the element that is the document, all of which the signature covers. Whatever stands before it but an XML
 * declaration, or would make this reading another one than a parser's, is no request.
 */
function aboutRequest(xml: string): { destination: string | undefined; issueInstant: string | undefined } {
  const [, attributes = ""] =
    /^(?:<\?xml [^<>]*\?>\s*)?<(?:[\w-]+:)?LogoutRequest(\s[^<>]*)>/.exec(xml.trim()) ?? [];
  const valueOf = (name: string) => new RegExp(`\\s${name}="([^"&]*)"`).exec(attributes)?.[1];
  return { destination: valueOf("Destination"), issueInstant: valueOf("IssueInstant") };
}
