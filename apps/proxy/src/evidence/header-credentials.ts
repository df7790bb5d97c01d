/** Names of headers that carry a proof of who somebody is, or may; a name too many only hides a value from auditors. */
const named = /authorization|cookie|credential|password|passwd|secret|token|jwt|apikey/;
const namedInPart = /(?:^|[-_.])(?:auth|key|session|sid|signature)(?:$|[-_.])/;

/** Whether the value of a header is none for a record to keep. */
export const isCredential = (header: string): boolean => named.test(header) || namedInPart.test(header);

/** What stands for a credential while headers are searched and sealed. */
export const withheldCredential = "[withheld]";

/**
 * Headers as their record keeps them, with a keyed digest for each credential: an auditor sees that the same one came
 * again, and nobody can try out what it may be.
 */
export function withCredentialDigests(
  recorded: string,
  given: readonly (readonly [name: string, value: string])[],
  digest: (value: string) => string,
): string {
  const credentials = new Map(given.filter(([name]) => isCredential(name)));
  if (credentials.size === 0) return recorded;
  return JSON.stringify(JSON.parse(recorded), (name, value: unknown) => {
    const credential = credentials.get(name);
    return credential === undefined ? value : `[withheld: hmac-sha256 ${digest(credential)}]`;
  });
}
