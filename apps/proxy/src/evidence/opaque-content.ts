import { isUtf8 } from "node:buffer";
import type { Finding } from "@countersign/contracts";
import { mayName } from "../json/may-name.js";

/** Messages without one of these hold no content in base64 that MCP names as such. */
const worthALook = mayName("blob", "data");

/**
 * What MCP itself names as content in base64 (pictures, sound, and blobs of resources) and the search for card data
 * could not read: each gets a finding that says so, unless the search said it already. Content that is text was
 * searched as text. `masked` is the message as the search left it, whose paths the findings name.
 */
export function withOpaqueContent(masked: string, findings: readonly Finding[]): readonly Finding[] {
  if (!worthALook.test(masked)) return findings;
  const known = new Set(findings.flatMap(({ kind, path }) => (kind === "unscanned" ? [path] : [])));
  const more = [...contentIn(JSON.parse(masked), "")].filter(
    ({ path, data }) => !known.has(path) && !isText(data),
  );
  if (more.length === 0) return findings;
  return [
    ...findings,
    ...more.map(({ path, data }): Finding => {
      return { kind: "unscanned", path, start: 0, end: data.length, rule: "unscanned.content" };
    }),
  ];
}

interface Content {
  readonly path: string;
  readonly data: string;
}

function* contentIn(value: unknown, path: string): Generator<Content> {
  if (typeof value !== "object" || value === null) return;
  const { type, data, blob } = value as Readonly<Record<string, unknown>>;
  if ((type === "image" || type === "audio") && typeof data === "string")
    yield { path: `${path}/data`, data };
  if (typeof blob === "string") yield { path: `${path}/blob`, data: blob };
  for (const [key, inner] of Object.entries(value)) yield* contentIn(inner, `${path}/${escaped(key)}`);
}

/** RFC 6901 §3. */
const escaped = (key: string): string => key.replaceAll("~", "~0").replaceAll("/", "~1");

function isText(base64: string): boolean {
  const bytes = Buffer.from(base64, "base64");
  return isUtf8(bytes) && !bytes.some(isControl);
}

/** Below the blank, text has nothing but white space. */
const isControl = (byte: number): boolean => byte < 9 || (byte > 13 && byte < 32) || byte === 127;
