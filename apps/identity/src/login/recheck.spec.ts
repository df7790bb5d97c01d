import type { IdentityProvider, OidcProvider } from "@countersign/configuration";
import { describe, expect, it } from "vitest";
import type { Login } from "../store/logins.js";
import type { Renewed, UpstreamTokens } from "./oidc-tokens.js";
import { recheck, type RecheckParts } from "./recheck.js";

const company = { id: "company", type: "oidc", groupsClaim: "groups", groupNames: {} } as OidcProvider;
const partner = { id: "partner", type: "saml" } as IdentityProvider;
const login: Login = {
  principal: { id: "company:ada", kind: "human", groups: ["engineers", "leads"] },
  authentication: { provider: "company" },
};
const tokens: UpstreamTokens = { accessToken: "a", groupsFrom: "idToken" };
const vouching = (groups: string[]): Renewed => ({ status: "vouched", claims: { groups }, tokens });

/** A login of somebody, and what their provider answers when it is asked again. */
const ask = (
  given: {
    login?: Login | undefined;
    tokens?: UpstreamTokens | undefined;
    configured?: readonly IdentityProvider[];
    answer?: Renewed;
  } = {},
) => {
  const known = {
    login,
    tokens,
    configured: [company, partner],
    answer: vouching(["leads", "engineers"]),
    ...given,
  };
  const parts = {
    configured: known.configured,
    identityProviders: {
      oidc: (id: string) =>
        known.configured.some((one) => one.id === id && one.type === "oidc")
          ? { renew: () => Promise.resolve(known.answer) }
          : undefined,
    },
    logins: {
      find: () => Promise.resolve(known.login),
      tokensOf: () => Promise.resolve(known.tokens),
      rememberTokens: () => Promise.resolve(),
      exclusively: <T>(_id: string, _at: number, act: () => Promise<T>) => act(),
    },
  } as unknown as RecheckParts;
  return recheck(parts, "company:ada", 1);
};

describe("a person whose client refreshes", () => {
  it("is vouched for no more once a group is lost, or the provider says so", async () => {
    expect(await ask({ answer: vouching(["leads"]) })).toMatch(/not vouch for all groups/);
    expect(await ask({ answer: vouching([]) })).toMatch(/not vouch for all groups/);
    expect(await ask({ answer: { status: "refused" } })).toMatch(/not vouch for the person/);
  });

  it("is vouched for by nobody where their provider was taken out of the configuration", async () => {
    expect(await ask({ configured: [partner] })).toMatch(/not one of ours any more/);
  });

  it("is vouched for by nobody where the provider cannot be asked for want of its tokens, or of the login", async () => {
    expect(await ask({ tokens: undefined })).toMatch(/cannot be asked/);
    expect(await ask({ login: undefined })).toMatch(/no longer known/);
  });

  it("goes on with the groups of the login, or more, and where the provider has no way to ask", async () => {
    expect(await ask()).toBeUndefined();
    expect(await ask({ answer: vouching(["x", "leads", "engineers"]) })).toBeUndefined();
    expect(await ask({ answer: { status: "silent", tokens } })).toBeUndefined();
    const bySaml = { ...login, authentication: { provider: "partner" } };
    expect(await ask({ login: bySaml, tokens: undefined })).toBeUndefined();
  });
});
