import type { EventMessage } from "@countersign/contracts";

/** Where a record has a payload. */
const parts = ["request", "response", "message", "headers", "view"] as const;
type Fields = Readonly<Record<string, unknown>>;

/** The keyed fingerprints of the cards that were found in a record. */
export function cardFingerprintsOf({ data }: Pick<EventMessage, "data">): string[] {
  const found = parts.flatMap((part) => {
    const { findings } = fieldsOf(fieldsOf(data)[part]);
    return Array.isArray(findings) ? findings.map((finding) => fieldsOf(finding)["fingerprint"]) : [];
  });
  return [
    ...new Set(found.filter((value) => typeof value === "string" && isFingerprint.test(value))),
  ] as string[];
}

const isFingerprint = /^[0-9a-f]{64}$/;

/** The data with another text in one of its payloads; undefined where it has no such payload. */
export function withText(data: unknown, part: string, text: string | null): unknown {
  const payload = fieldsOf(data)[part];
  const { text: before } = fieldsOf(payload);
  return typeof before === "string" || before === null
    ? { ...fieldsOf(data), [part]: { ...fieldsOf(payload), text } }
    : undefined;
}

const fieldsOf = (value: unknown): Fields =>
  typeof value === "object" && value !== null ? (value as Fields) : {};
