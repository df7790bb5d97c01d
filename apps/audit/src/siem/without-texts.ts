/** A SIEM gets what happened, not the messages: their digests and findings are enough to find them by. */
const textCharactersMax = 2_000;
const itemsMax = 100;
const depthMax = 12;

/** The data without the texts of payloads, sealed and wrapped forms, and anything else that is long. */
export function withoutTexts(value: unknown, depth = 0): unknown {
  if (typeof value === "string") return value.length > textCharactersMax ? undefined : value;
  if (typeof value !== "object" || value === null) return value;
  if (depth >= depthMax) return undefined;
  if (Array.isArray(value))
    return value.slice(0, itemsMax).map((item) => withoutTexts(item, depth + 1) ?? null);
  const isPayload = "text" in value && "sha256" in value;
  const kept = Object.entries(value)
    .filter(([name]) => !(isPayload && name === "text") && name !== "sealed" && name !== "wrapped")
    .map(([name, member]) => [name, withoutTexts(member, depth + 1)] as const)
    .filter(([, member]) => member !== undefined);
  return Object.fromEntries(kept);
}
