import type { Candidate, Neighbour } from "./collector.js";
import { Collector } from "./collector.js";
import type { JsonFrame, JsonReadOptions } from "./json-reader.js";
import { readJson } from "./json-reader.js";
import { JsonRefused } from "./json-refused.js";
import { decodeJsonString, encodeJsonFragment, rawOffsets } from "./json-string.js";
import { KeyNames } from "./key-names.js";
import { Meanings } from "./meanings.js";
import type { Found, Rewrite } from "./rewrite.js";
import { scanNumber } from "./scan-number.js";
import type { Place } from "./scan-value.js";
import { scanValue } from "./scan-value.js";
import type { Settings } from "./settings.js";
import { findSplitCards } from "./split-cards.js";

/** A token that does hold some. Findings count units of its value, rewrites count units of the text. */
export interface TokenFound {
  token: Candidate;
  found: Found;
}

/** Card data in JSON that lies in a string, in units of that string; nothing where the string is not JSON. */
export function scanJsonTokens(text: string, place: Place, settings: Settings): Found | undefined {
  let tokens: TokenFound[];
  try {
    ({ tokens } = findInTokens(text, place, settings, { allowDuplicateKeys: true }));
  } catch (error) {
    if (error instanceof JsonRefused) return undefined;
    throw error;
  }
  return {
    findings: tokens.flatMap(({ token, found }) =>
      found.findings.map((finding) => {
        const [start = 0, end = 0] =
          token.what === "number"
            ? [token.start + finding.start, token.start + finding.end]
            : rawOffsets(text, token.start, [finding.start, finding.end]);
        return { ...finding, start, end };
      }),
    ),
    rewrites: tokens.flatMap(({ found }) => found.rewrites),
  };
}

/**
 * Every token of a JSON text that holds card data, in order.
 *
 * @throws JsonRefused
 */
export function findInTokens(
  text: string,
  place: Place,
  settings: Settings,
  options: JsonReadOptions,
): { tokens: TokenFound[]; names: KeyNames } {
  const names = new KeyNames();
  const collector = new Collector(text, settings);
  readJson(text, collector, options);
  const { candidates, neighbours } = collector;
  if (candidates.length === 0 && neighbours.length < 2) return { tokens: [], names };

  const meanings = new Meanings(text, place.meaning, settings);
  const tokens = candidates.flatMap((token): TokenFound[] => {
    const { what, frame, start, end } = token;
    if (what === "number") {
      const found = scanNumber(text.slice(start, end), meanings.of(token));
      if (!found) return [];
      const rewrites = found.rewrites.map((rewrite) => ({ ...rewrite, start, end }));
      return [{ token, found: { findings: found.findings, rewrites } }];
    }
    const value = decodeJsonString(text, start, end);
    const meaning = what === "key" ? 0 : meanings.of(token);
    const found = scanValue(value, { meaning, depth: place.depth }, settings);
    if (found.findings.length === 0) return [];
    if (what === "key" && frame) {
      const rewrites = names.rewriteKey(text, frame, value, found.rewrites, start, end);
      return [{ token, found: { findings: found.findings, rewrites } }];
    }
    const offsets = rawOffsets(
      text,
      start,
      found.rewrites.flatMap((rewrite) => [rewrite.start, rewrite.end]),
    );
    const rewrites = found.rewrites.map((rewrite, i) =>
      inText(rewrite, offsets[2 * i]!, offsets[2 * i + 1]!),
    );
    return [{ token, found: { findings: found.findings, rewrites } }];
  });
  return { tokens: withSplitCards(text, tokens, neighbours), names };
}

/** Adds the cards that lie over several strings of a list, where nothing was found in the strings themselves. */
function withSplitCards(text: string, tokens: TokenFound[], neighbours: readonly Neighbour[]): TokenFound[] {
  const known = new Set(tokens.map(({ token }) => token.start));
  // Strings with stars are masked already; what they still show belongs to no other card.
  const isOpen = ({ start, end }: Neighbour) => !known.has(start) && !text.slice(start, end).includes("*");
  const parts = runsOf(neighbours.filter(isOpen)).flatMap((run) =>
    findSplitCards(run.map((token) => ({ token, value: decodeJsonString(text, token.start, token.end) }))),
  );
  if (parts.length === 0) return tokens;
  for (const { fragment, finding, rewrite } of parts) {
    const { token } = fragment;
    const [from = 0, to = 0] = rawOffsets(text, token.start, [rewrite.start, rewrite.end]);
    tokens.push({ token, found: { findings: [finding], rewrites: [inText(rewrite, from, to)] } });
  }
  return tokens.toSorted((a, b) => a.token.start - b.token.start);
}

/** Runs of two strings or more that follow each other in one list. */
function runsOf(neighbours: readonly Neighbour[]): Neighbour[][] {
  const runs: Neighbour[][] = [];
  const open = new Map<JsonFrame, Neighbour[]>();
  for (const neighbour of neighbours) {
    const run = open.get(neighbour.list);
    if (run && run.at(-1)!.position + 1 === neighbour.position) {
      if (run.push(neighbour) === 2) runs.push(run);
    } else open.set(neighbour.list, [neighbour]);
  }
  return runs;
}

function inText(rewrite: Rewrite, start: number, end: number): Rewrite {
  return {
    start,
    end,
    masked: encodeJsonFragment(rewrite.masked),
    withoutSad: encodeJsonFragment(rewrite.withoutSad),
  };
}
