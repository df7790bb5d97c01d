import type { FindingKind } from "@countersign/contracts";

/** A stretch of text that must change: what stands there when masked, and when only card numbers may stay. */
export interface Rewrite {
  start: number;
  end: number;
  masked: string;
  withoutSad: string;
}

/** A finding before it is told where its text lies. */
export interface LocalFinding {
  kind: FindingKind;
  brand: string | undefined;
  rule: string;
  start: number;
  end: number;
  /** The card number's digits; they never leave the library. */
  digits: string | undefined;
  /** Whether its first six and last four may be told: they may not where readings overlap. */
  ends: boolean;
}

/** What was found in one text, in order. Rewrites do not overlap. */
export interface Found {
  findings: LocalFinding[];
  rewrites: Rewrite[];
}

/** The text with its rewrites applied: `===` to the text where there are none. */
export function applyRewrites(
  text: string,
  rewrites: readonly Rewrite[],
  side: "masked" | "withoutSad",
): string {
  if (rewrites.length === 0) return text;
  const parts: string[] = [];
  let from = 0;
  for (const rewrite of rewrites) {
    parts.push(text.slice(from, rewrite.start), rewrite[side]);
    from = rewrite.end;
  }
  parts.push(text.slice(from));
  return parts.join("");
}
