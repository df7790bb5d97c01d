import { CountersignError } from "@countersign/contracts";
import { z } from "zod";

const metadata = z.object({
  issuer: z.string(),
  authorization_endpoint: z.url(),
  token_endpoint: z.url(),
  userinfo_endpoint: z.url().optional(),
  jwks_uri: z.url(),
});
/** What an OpenID provider says about itself. */
export type ProviderMetadata = z.infer<typeof metadata>;

export class ProviderUnreachable extends CountersignError {
  constructor(issuer: string, options?: { cause?: unknown }) {
    super(
      "identity_provider_unreachable",
      `${issuer} does not answer with its OpenID configuration; check that it runs and that this service can reach it.`,
      options,
    );
  }
}

const answerMsMax = 5_000;
const believedMs = 10 * 60 * 1_000;

const known = new Map<string, { readonly metadata: Promise<ProviderMetadata>; readonly until: number }>();

/** The provider's OpenID configuration, kept for a while; a failure is not kept. Errors: ProviderUnreachable. */
export function discover(issuer: string): Promise<ProviderMetadata> {
  const kept = known.get(issuer);
  if (kept && kept.until > Date.now()) return kept.metadata;
  const metadata = fetchMetadata(issuer);
  known.set(issuer, { metadata, until: Date.now() + believedMs });
  metadata.catch(() => known.delete(issuer));
  return metadata;
}

async function fetchMetadata(issuer: string): Promise<ProviderMetadata> {
  try {
    const response = await fetch(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`, {
      signal: AbortSignal.timeout(answerMsMax),
      redirect: "error",
    });
    const found = metadata.parse(await response.json());
    if (found.issuer !== issuer) throw new ProviderUnreachable(issuer);
    return found;
  } catch (cause) {
    throw cause instanceof ProviderUnreachable ? cause : new ProviderUnreachable(issuer, { cause });
  }
}
