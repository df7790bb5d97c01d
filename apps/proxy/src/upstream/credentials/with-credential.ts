import type { Dispatcher } from "undici";
import { UpstreamFailed } from "../upstream-failed.js";
import type { Credential, Issued } from "./issued.js";

/**
 * Makes a request with the credential of the moment. A 401 says that nothing was done (RFC 9110 section 15.5.2), so
 * where there is another credential by now, the request is made once more with that one.
 */
export async function withCredential(
  credential: Credential,
  make: (issued: Issued) => Promise<Dispatcher.ResponseData>,
): Promise<{ answer: Dispatcher.ResponseData; issued: Issued }> {
  const issued = await orFail(() => credential.issue());
  const answer = await make(issued);
  if (answer.statusCode !== 401) return { answer, issued };
  const another = await orFail(() => credential.reissue(issued)).catch(async (error: unknown) => {
    await discard(answer);
    throw error;
  });
  if (!another) return { answer, issued };
  await discard(answer);
  return { answer: await make(another), issued: another };
}

const discardBytesMax = 64 * 1024;

export const discard = ({ body }: Dispatcher.ResponseData): Promise<void> =>
  body.dump({ limit: discardBytesMax }).catch(() => undefined);

async function orFail<T>(get: () => Promise<T>): Promise<T> {
  try {
    return await get();
  } catch (cause) {
    throw new UpstreamFailed(
      "upstream_credential_failed",
      "The gateway has no credential for the upstream at the moment, so the call was not made; tell an administrator.",
      { sent: false, cause },
    );
  }
}
