import type { Finding } from "@countersign/contracts";

import { pointerTo } from "./key-names.js";
import type { LocalFinding, Rewrite } from "./rewrite.js";
import { applyRewrites } from "./rewrite.js";
import { findInTokens } from "./scan-tokens.js";
import { scanValue } from "./scan-value.js";
import type { ScanOptions, Settings } from "./settings.js";
import { prepare } from "./settings.js";

export interface ScanResult {
  findings: Finding[];
  /** Card numbers with their first six and last four at the most, sensitive authentication data as stars. */
  masked: string;
  /** As the input, but with sensitive authentication data as stars: what PCI DSS 3.3.1 lets be kept, encrypted. */
  withoutSad: string;
  /** Whether `masked` differs from the input; where it does not, it is the input. */
  changed: boolean;
  /** Whether sensitive authentication data was found. */
  sad: boolean;
}

/** Finds and masks card data in text; text that is JSON, or carries it, is searched as such. Never throws. */
export function scanText(text: string, options: ScanOptions): ScanResult {
  const settings = prepare(options);
  const found = scanValue(text, { meaning: 0, depth: 0 }, settings);
  const findings = found.findings.map((finding) => publicFinding(finding, "", settings));
  return result(text, findings, found.rewrites);
}

/**
 * Finds and masks card data in a JSON text, rewriting only the tokens that hold some: every other byte stays, number
 * literals, order, white space and escapes included. A number that is a card becomes a string.
 *
 * @throws JsonRefused for what is not strict JSON, and for duplicate keys.
 */
export function scanJson(text: string, options: ScanOptions): ScanResult {
  const settings = prepare(options);
  const { tokens, names } = findInTokens(text, { meaning: 0, depth: 0 }, settings, scanValue);
  if (tokens.length === 0) return result(text, [], []);
  const findings = tokens.flatMap(({ token, found }) => {
    const path = pointerTo(token.frame, token.key, token.index, names);
    const where = token.what === "key" ? "@key" : "";
    return found.findings.map((finding) =>
      publicFinding({ ...finding, rule: finding.rule + where }, path, settings),
    );
  });
  return result(
    text,
    findings,
    tokens.flatMap(({ found }) => found.rewrites),
  );
}

function result(text: string, findings: Finding[], rewrites: readonly Rewrite[]): ScanResult {
  const masked = applyRewrites(text, rewrites, "masked");
  const sad = findings.some(({ kind }) => kind !== "pan" && kind !== "unscanned");
  const withoutSad = sad ? applyRewrites(text, rewrites, "withoutSad") : text;
  return { findings, masked, withoutSad, changed: rewrites.length > 0, sad };
}

export function publicFinding(local: LocalFinding, path: string, settings: Settings): Finding {
  const { kind, brand, rule, start, end, digits, ends } = local;
  const finding: Finding = { kind, path, start, end, rule };
  if (brand !== undefined) finding.brand = brand;
  if (digits === undefined) return finding;
  if (ends) {
    finding.first6 = digits.slice(0, 6);
    finding.last4 = digits.slice(-4);
  }
  const fingerprint = settings.fingerprint(digits);
  if (fingerprint !== undefined) finding.fingerprint = fingerprint;
  return finding;
}
