import { isAllowedRedirect, isLoopback, privateUseScheme } from "./redirect-uri.js";

/** Client metadata as RFC 7591 names it, before the authorization server takes it. */
export type ClientMetadata = Record<string, unknown>;

const redirectUrisMax = 10;
const nameCharactersMax = 100;

/** For machines without a browser of their own (RFC 8628). */
export const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code";

const grantTypesAllowed: ReadonlySet<unknown> = new Set(["authorization_code", "refresh_token", deviceGrant]);

/** What of a client's own description is kept; the rest asks for features there are none of, or for addresses to fetch. */
const kept: ReadonlySet<string> = new Set([
  "client_id",
  "client_id_issued_at",
  "client_name",
  "client_uri",
  "redirect_uris",
  "grant_types",
]);

/**
 * The metadata a self-registered client ends up with. RFC 7591 §2 lets a server replace what it was asked for: every
 * such client is public, uses codes with PKCE, and gets no secret, since a secret that anybody may have proves nothing.
 */
export function takenMetadata(asked: ClientMetadata): ClientMetadata {
  const taken = Object.fromEntries(Object.entries(asked).filter(([key]) => kept.has(key)));
  const grantTypes = Array.isArray(asked["grant_types"])
    ? asked["grant_types"].filter((type) => grantTypesAllowed.has(type))
    : [];
  return {
    ...taken,
    ...(typeof asked["client_name"] === "string" ? { client_name: nameOf(asked["client_name"]) } : {}),
    ...(isDeviceOnly(asked)
      ? {
          grant_types: [...new Set(grantTypes)].filter((type) => type !== "authorization_code"),
          response_types: [],
        }
      : { grant_types: [...new Set(["authorization_code", ...grantTypes])], response_types: ["code"] }),
    token_endpoint_auth_method: "none",
    application_type: isDeviceOnly(asked) || redirectUrisOf(asked).some(isOnOwnMachine) ? "native" : "web",
  };
}

/** Undefined for metadata that may be registered, otherwise what is wrong with it. */
export function metadataProblem(asked: ClientMetadata): string | undefined {
  const uris = asked["redirect_uris"];
  if (isDeviceOnly(asked)) return undefined;
  if (!Array.isArray(uris) || uris.length === 0) return "redirect_uris must name at least one address";
  if (uris.length > redirectUrisMax) return `redirect_uris must name at most ${redirectUrisMax} addresses`;
  if (!uris.every(isAllowedRedirect))
    return (
      "redirect_uris must be https addresses, http ones on 127.0.0.1, [::1] or localhost, or ones of a private-use " +
      "scheme with an authority or a path, without fragments, credentials or wildcards (RFC 8252)"
    );
  return undefined;
}

/** A client that shows a code and waits has no address that an answer could go to. */
const isDeviceOnly = (asked: ClientMetadata): boolean => {
  const [uris, grantTypes] = [asked["redirect_uris"], asked["grant_types"]];
  const hasNone = uris === undefined || (Array.isArray(uris) && uris.length === 0);
  return hasNone && Array.isArray(grantTypes) && grantTypes.includes(deviceGrant);
};

const isOnOwnMachine = (uri: string): boolean => isLoopback(uri) || privateUseScheme(uri) !== undefined;

const redirectUrisOf = (asked: ClientMetadata): string[] =>
  Array.isArray(asked["redirect_uris"])
    ? asked["redirect_uris"].filter((uri) => typeof uri === "string")
    : [];

/** A name is shown to people who decide by it: one line, no invisible characters, not long. */
const nameOf = (name: string): string =>
  name
    .replace(/[\p{C}\p{Z}]+/gu, " ")
    .trim()
    .slice(0, nameCharactersMax);

/** A client may call itself anything; where its description was fetched from is a fact. */
export function nameToShow(clientId: string, name: string | undefined): string {
  const host = URL.canParse(clientId) ? new URL(clientId).host : "";
  if (name === undefined) return host || clientId;
  return host ? `${name} (${host})` : `${name} (unverified)`;
}
