import { isDeepStrictEqual } from "node:util";
import { bearer, type Credential, type Issued } from "./issued.js";
import type { UpstreamCredential } from "@countersign/contracts";
import { OAuthCredential, type TokenFetch } from "./oauth.credential.js";
import type { Secrets } from "./secrets.js";

export function credentialOf(
  credential: UpstreamCredential,
  tools: {
    secrets: Secrets;
    fetchToken: TokenFetch;
    now: () => number;
    failed: (error: unknown) => void;
    renewed: () => void;
  },
): Credential {
  const { secrets } = tools;
  switch (credential.type) {
    case "none":
      return { issue: async () => ({ headers: {}, secrets: [] }), reissue: async () => undefined };
    case "bearer":
      return fromSecret(
        async () => bearer(await secrets.readForHeader(credential.token)),
        () => secrets.forget(credential.token),
      );
    case "header":
      return fromSecret(
        async () => {
          const value = await secrets.readForHeader(credential.value);
          return { headers: { [credential.name.toLowerCase()]: value }, secrets: [value] };
        },
        () => secrets.forget(credential.value),
      );
    case "basic":
      return fromSecret(
        async () => {
          const password = await secrets.read(credential.password);
          const pair = Buffer.from(`${credential.username}:${password}`).toString("base64");
          return { headers: { authorization: `Basic ${pair}` }, secrets: [pair, password] };
        },
        () => secrets.forget(credential.password),
      );
    case "oauth":
      return new OAuthCredential(credential, tools);
  }
}

/** A secret that somebody else renews: there is another one only where it was replaced meanwhile. */
function fromSecret(read: () => Promise<Issued>, forget: () => void): Credential {
  let last: Issued = { headers: {}, secrets: [] };
  /** The same secret is the same object, so that nobody prepares twice for it. */
  const issue = async (): Promise<Issued> => {
    const now = await read();
    if (!isDeepStrictEqual(now, last)) last = now;
    return last;
  };
  return {
    issue,
    async reissue(refused) {
      forget();
      const now = await issue();
      return now === refused ? undefined : now;
    },
  };
}
