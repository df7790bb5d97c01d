import { unscannedBinary } from "./binary.js";
import type { Candidate, Neighbour, Suspicion } from "./candidate.js";
import { Collector } from "./collector.js";
import type { JsonFrame } from "./json-frame.js";
import type { JsonReadOptions } from "./json-reader.js";
import { readJson } from "./json-reader.js";
import type { Stop } from "./json-refused.js";
import { JsonRefused, READ_AGAIN } from "./json-refused.js";
import { decodeJsonString, encodeJsonFragment, rawOffsets } from "./json-string.js";
import { JsonTables, searchCell } from "./json-tables.js";
import { codeInList } from "./list-codes.js";
import { KeyNames } from "./key-names.js";
import { KEY, SENSITIVE_KEYS } from "./keys.js";
import { Meanings } from "./meanings.js";
import type { Found, Rewrite } from "./rewrite.js";
import { scanNumber } from "./scan-number.js";
import type { Place, ScanString } from "./place.js";
import type { Settings } from "./settings.js";
import { findSplitCards } from "./split-cards.js";
import { CARD_BY_CONTEXT } from "./suspect-digits.js";
import { borrowBytes, returnBytes } from "./text-bytes.js";

/** A token that does hold some. Findings count units of its value, rewrites count units of the text. */
export interface TokenFound {
  token: Candidate;
  found: Found;
}

/** Card data in JSON that lies in a string, in units of that string; nothing where the string is not JSON. */
export function scanJsonTokens(
  text: string,
  place: Place,
  settings: Settings,
  scanString: ScanString,
): Found | undefined {
  const collector = collect(text, place, settings, { allowDuplicateKeys: true });
  if (!(collector instanceof Collector)) return undefined;
  const { tokens } = search(text, place, settings, scanString, collector);
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
  scanString: ScanString,
): TokensFound {
  const collector = collect(text, place, settings, {});
  if (!(collector instanceof Collector)) throw new JsonRefused(collector.code, collector.offset);
  return search(text, place, settings, scanString, collector);
}

interface TokensFound {
  tokens: TokenFound[];
  names: KeyNames;
}

function search(
  text: string,
  place: Place,
  settings: Settings,
  scanString: ScanString,
  { candidates, neighbours, tables }: Collector,
): TokensFound {
  const names = new KeyNames();
  if (candidates.length === 0 && neighbours.length < 2 && !tables) return { tokens: [], names };

  const meanings = new Meanings(text, place.meaning, settings);
  const tokens: TokenFound[] = [];
  for (const token of candidates) {
    const meaning = token.what === "key" ? 0 : meanings.of(token);
    if (!isOpen(token.suspicion, meaning, settings.suspicionMin)) continue;
    const found = searchToken(text, token, meaning, place, settings, scanString, names);
    if (found) tokens.push({ token, found });
  }
  addCodes(text, tokens, settings, tables);
  return { tokens: withSplitCards(text, tokens, neighbours), names };
}

/** Adds the codes that only the head of a table tells, or their place behind a card in a list. */
function addCodes(
  text: string,
  tokens: TokenFound[],
  settings: Settings,
  tables: JsonTables | undefined,
): void {
  const known = new Set(tokens.map(({ token }) => token.start));
  const added: TokenFound[] = [];
  const add = (one: TokenFound | undefined) => {
    if (!one || known.has(one.token.start)) return;
    known.add(one.token.start);
    added.push(one);
  };
  for (const cell of tables?.sensitiveCells() ?? []) {
    const found = searchCell(text, cell, settings);
    if (found) add({ token: cell.token, found: { ...found, rewrites: rewritten(text, cell.token, found) } });
  }
  for (const { token, found } of tokens) {
    if (found.findings.some(({ kind }) => kind === "pan")) add(codeInList(text, token));
  }
  if (added.length === 0) return;
  tokens.push(...added);
  tokens.sort((a, b) => a.token.start - b.token.start);
}

/** The rewrites of a value as those of its token. */
function rewritten(text: string, { what, start, end }: Candidate, { rewrites }: Found): Rewrite[] {
  return what === "number"
    ? rewrites.map((rewrite) => ({ ...rewrite, start, end }))
    : inToken(text, start, rewrites);
}

/** Whether what the names around a token say leaves it a suspect. */
function isOpen(suspicion: Suspicion, meaning: number, suspicionMin: number): boolean {
  switch (suspicion) {
    case "any":
    case "binary":
      return true;
    case "name":
      return (meaning & (SENSITIVE_KEYS | KEY.pan)) !== 0;
    case "context":
      return suspicionMin <= CARD_BY_CONTEXT || (meaning & (SENSITIVE_KEYS | KEY.pan | KEY.context)) !== 0;
  }
}

function searchToken(
  text: string,
  token: Candidate,
  meaning: number,
  place: Place,
  settings: Settings,
  scanString: ScanString,
  names: KeyNames,
): Found | undefined {
  const { what, frame, start, end, suspicion } = token;
  if (suspicion === "binary" && (meaning & (SENSITIVE_KEYS | KEY.pan)) === 0) {
    return { findings: [unscannedBinary(end - start - 2)], rewrites: [] };
  }
  if (what === "number") {
    const found = scanNumber(text.slice(start, end), meaning, settings.strictness);
    return found && { ...found, rewrites: rewritten(text, token, found) };
  }
  const value = decodeJsonString(text, start, end);
  const found = scanString(value, { meaning, depth: place.depth }, settings);
  if (found.findings.length === 0) return undefined;
  const rewrites =
    what === "key" && frame
      ? names.rewriteKey(text, frame, value, found.rewrites, start, end)
      : rewritten(text, token, found);
  return { findings: found.findings, rewrites };
}

function collect(text: string, place: Place, settings: Settings, options: JsonReadOptions): Collector | Stop {
  const source = borrowBytes(text);
  try {
    let named = false;
    let tables: JsonTables | undefined;
    for (;;) {
      const collector = new Collector(text, source, place.meaning, settings, named, tables);
      const stopped = readJson(text, source, collector, options);
      if (stopped === READ_AGAIN) named = true;
      else if (stopped) return stopped;
      // What a head says may hold for rows before it, and few messages have one: read again rather than keep each cell.
      else if (collector.namesColumns && !tables) tables = new JsonTables();
      else return collector;
    }
  } finally {
    returnBytes(source);
  }
}

/** Rewrites of a string's value as those of the text that holds its token. */
function inToken(text: string, start: number, rewrites: readonly Rewrite[]): Rewrite[] {
  const offsets = rawOffsets(
    text,
    start,
    rewrites.flatMap((rewrite) => [rewrite.start, rewrite.end]),
  );
  return rewrites.map((rewrite, i) => ({
    start: offsets[2 * i]!,
    end: offsets[2 * i + 1]!,
    masked: encodeJsonFragment(rewrite.masked),
    withoutSad: encodeJsonFragment(rewrite.withoutSad),
  }));
}

/** Adds the cards that lie over several strings of a list or an object, where nothing was found in the strings themselves. */
function withSplitCards(text: string, tokens: TokenFound[], neighbours: readonly Neighbour[]): TokenFound[] {
  const known = new Set(tokens.map(({ token }) => token.start));
  // Strings with stars are masked already; what they still show belongs to no other card.
  const isUnknown = ({ token: { start, end } }: Neighbour) =>
    !known.has(start) && !text.slice(start, end).includes("*");
  const parts = runsOf(neighbours.filter(isUnknown)).flatMap((run) => {
    const fragments = run.map(({ token }) => ({
      token,
      value: decodeJsonString(text, token.start, token.end),
    }));
    const found = findSplitCards(fragments);
    return found.length > 0 || run[0]!.ordered ? found : findSplitCards(fragments.toReversed());
  });
  if (parts.length === 0) return tokens;
  for (const { fragment, finding, rewrite } of parts) {
    const { token } = fragment;
    const rewrites = inToken(text, token.start, [rewrite]);
    tokens.push({ token, found: { findings: [finding], rewrites } });
  }
  return tokens.toSorted((a, b) => a.token.start - b.token.start);
}

/** Runs of two strings or more that follow each other in one list or object. */
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
