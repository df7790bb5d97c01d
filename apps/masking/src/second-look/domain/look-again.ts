import { JsonRefused, scanJson, type ScanOptions, type ScanResult, scanText } from "@countersign/card-data";
import type { Finding } from "@countersign/contracts";
import { carriersIn } from "./deep-carriers.js";
import { jsonValuesOf } from "./json-values.js";

/** A text in which something was missed: how it should have been recorded, and what it was. */
export interface Missed {
  readonly text: string;
  /** Without any digit. */
  readonly findings: readonly Finding[];
}

const hiddenText = "[hidden by the second look]";

/** Searches a recorded text again: by the policy of now, and deeper. Undefined where nothing was missed. */
export function lookAgain(text: string, contentType: string, options: ScanOptions): Missed | undefined {
  const isJson = /\bjson\b/i.test(contentType);
  const again = (isJson ? scannedJson(text, options) : undefined) ?? scanText(text, options);
  const inFirst = again.changed ? again.findings.filter(({ kind }) => kind !== "unscanned") : [];
  const deeper =
    (isJson ? searchedJson(again.masked, options) : undefined) ?? searchedText(again.masked, options);
  const findings = [...inFirst, ...deeper.findings].map(withoutDigits);
  return findings.length === 0 ? undefined : { text: deeper.text, findings };
}

export const withoutDigits = (finding: Finding): Finding => {
  const { first6: _first, last4: _last, ...kept } = finding;
  return kept;
};

function scannedJson(text: string, options: ScanOptions): ScanResult | undefined {
  try {
    return scanJson(text, options);
  } catch (error) {
    if (error instanceof JsonRefused) return undefined;
    throw error;
  }
}

interface Searched {
  readonly text: string;
  readonly findings: readonly Finding[];
}

function searchedText(text: string, options: ScanOptions, path = ""): Searched {
  const hits = carriersIn(text)
    .map((carrier) => ({ carrier, found: cardDataIn(carrier.text, options) }))
    .filter(({ found }) => found.length > 0)
    .toSorted((a, b) => a.carrier.start - b.carrier.start);
  let hidden = "";
  let at = 0;
  for (const { carrier } of hits) {
    hidden += text.slice(at, Math.max(at, carrier.start)) + hiddenText;
    at = Math.max(at, carrier.end);
  }
  const findings = hits.flatMap(({ carrier: { rule, start, end }, found }) =>
    found.map((finding): Finding => ({ ...finding, path, start, end, rule })),
  );
  return { text: hidden + text.slice(at), findings };
}

function searchedJson(text: string, options: ScanOptions): Searched | undefined {
  const values = jsonValuesOf(text);
  if (!values) return undefined;
  let rewritten = "";
  let at = 0;
  const findings: Finding[] = [];
  for (const { start, end, value, path } of values) {
    const searched = searchedText(value, options, path);
    if (searched.findings.length === 0) continue;
    findings.push(...searched.findings);
    rewritten += text.slice(at, start) + JSON.stringify(searched.text);
    at = end;
  }
  return { text: rewritten + text.slice(at), findings };
}

function cardDataIn(text: string, options: ScanOptions): Finding[] {
  const { changed, findings } = scanText(text, options);
  return changed ? findings.filter(({ kind }) => kind !== "unscanned") : [];
}
