import type { Finding, OpaqueHandling } from "@countersign/contracts";
import { extentAtPointer } from "../json/extents.js";
import { splice } from "../json/splice.js";
import type { Scanned } from "./payloads.js";

/** Why a message with content that cannot be searched goes no further. */
export const opaqueReason = "it holds content that cannot be searched for card data";

export const isOpaque = ({ kind }: Finding): boolean => kind === "unscanned";

/** A text with a placeholder for each value that could not be searched. */
export function withoutOpaque(json: string, findings: readonly Finding[]): string {
  const paths = new Set(findings.filter(isOpaque).map(({ path }) => path));
  const places = [...paths].map((path) => extentAtPointer(json, path));
  // A text that is no JSON has one place, which is all of it.
  if (paths.has("") || places.includes(undefined)) return JSON.stringify(placeholder(json.length));
  const outermost = places
    .filter((place) => place !== undefined)
    .filter((at, _, all) => !all.some((o) => o !== at && o.start <= at.start && at.end <= o.end))
    .toSorted((a, b) => a.start - b.start);
  return splice(
    json,
    outermost.map(({ start, end }) => ({ start, end, text: JSON.stringify(placeholder(end - start)) })),
  );
}

/**
 * What a record keeps of a message that is withheld: the findings, and the text without what could not be searched.
 * Nothing of it is sealed, because a picture may show what must not be kept even encrypted (PCI DSS 3.3.1).
 */
export function withheld(scanned: Scanned): Scanned {
  const isJson = scanned.contentType.startsWith("application/json");
  const recorded = isJson
    ? withoutOpaque(scanned.recorded, scanned.findings)
    : placeholder(scanned.recorded.length);
  const { masked, findings, bytes, contentType } = scanned;
  return { masked, recorded, findings, bytes, contentType };
}

/** What a record keeps of a message that goes no further, for whatever reason, by the policy of its endpoint. */
export const keptOf = (scanned: Scanned, opaque: OpaqueHandling): Scanned =>
  opaque === "refuse" && scanned.findings.some(isOpaque) ? withheld(scanned) : scanned;

const placeholder = (units: number): string => `[withheld: ${units} characters that cannot be searched]`;
