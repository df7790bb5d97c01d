import { canonicalJson } from "./canonical-json.js";
import type { BundleEnd, BundleHeader, BundleLine } from "./bundle.js";

/**
 * Reads one line, or undefined where it is not JSON in canonical form. Two spellings of one value would let a byte
 * change unseen: white space, the order of members, escapes, a member given twice.
 */
export function parseCanonical(line: string): unknown {
  try {
    const value: unknown = JSON.parse(line);
    return canonicalJson(value) === line ? value : undefined;
  } catch {
    return undefined;
  }
}

export const isHeader = (value: unknown): value is BundleHeader =>
  hasExactly(value, [
    "checkpoint",
    "countersign",
    "exportedAt",
    "origin",
    "query",
    "verifierKey",
    "version",
  ]) &&
  value["countersign"] === "evidence-bundle" &&
  value["version"] === 1 &&
  areStrings([value["origin"], value["exportedAt"], value["checkpoint"], value["verifierKey"]]);

export const isEnd = (value: unknown): value is BundleEnd =>
  hasExactly(value, ["countersign", "records", "sha256", "signature"]) &&
  value["countersign"] === "evidence-bundle-end" &&
  isCount(value["records"]) &&
  areStrings([value["sha256"], value["signature"]]);

export const isBundleLine = (value: unknown): value is BundleLine =>
  hasExactly(value, ["event", "index", "proof"]) &&
  isCount(value["index"]) &&
  Array.isArray(value["proof"]) &&
  areStrings(value["proof"]) &&
  isEvent(value["event"]);

/** A member beside these is not in the leaf, so nothing would prove it. */
const isEvent = (value: unknown): boolean =>
  (hasExactly(value, ["data", "id", "source", "subject", "time", "type"]) ||
    (hasExactly(value, ["cause", "data", "id", "source", "subject", "time", "type"]) &&
      typeof value["cause"] === "string")) &&
  areStrings([value["id"], value["source"], value["subject"], value["time"], value["type"]]);

function hasExactly(value: unknown, names: readonly string[]): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const found = Object.keys(value);
  return found.length === names.length && names.every((name) => Object.hasOwn(value, name));
}

const areStrings = (values: readonly unknown[]): boolean =>
  values.every((value) => typeof value === "string");

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;
