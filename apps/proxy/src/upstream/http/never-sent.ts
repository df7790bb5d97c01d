/** What fails before a connection stands, by the codes of Node and undici. Anything else may have reached the server. */
const beforeConnection = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EHOSTDOWN",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** Whether a failed request certainly never left, so that it is safe to make it again. */
export function neverSent(error: unknown): boolean {
  return (
    error instanceof Error &&
    "code" in error &&
    typeof error.code === "string" &&
    beforeConnection.has(error.code)
  );
}
