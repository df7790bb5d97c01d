import { Claims } from "./claims.js";
import type { Draft, Edit } from "./draft.js";
import type { Folded } from "./fold.js";
import { foldEscapes, foldUnicode, hasOddUnits, mayHoldEscapes } from "./fold.js";
import { KEY } from "./keys.js";
import type { PanMatch } from "./pan.js";
import { digitGroups, mayHoldCard } from "./digit-groups.js";
import { findPans } from "./pan.js";
import { findCutPans } from "./cut-cards.js";
import type { LocalFinding } from "./rewrite.js";
import { codeAfterCard } from "./code-after-card.js";
import type { SensitiveMatch } from "./sensitive.js";
import { findSensitive } from "./sensitive.js";
import type { Settings } from "./settings.js";
import { starsFor } from "./stars.js";

/** Hiding one card can part digits that belonged together in another reading, so the rest is read again. */
const READINGS_MAX = 4;

/** Hides card data in plain text, with escapes and without; `meaning` is that of the field (see KEY). */
export function searchText(draft: Draft, meaning: number, settings: Settings): void {
  // Escaped tracks first: once the card in one is hidden, nothing tells the rest of it.
  let source = draft.masked;
  let unescaped = mayHoldEscapes(source) ? foldEscapes(source) : undefined;
  if (unescaped) hideTracks(draft, unescaped);
  for (let reading = 0; reading < READINGS_MAX; reading++) {
    const folded = foldUnicode(draft.masked);
    let found = scanFolded(draft, folded, meaning, settings);
    if (folded.joined) found = scanFolded(draft, foldUnicode(draft.masked, true), meaning, settings) || found;
    if (draft.masked !== source) {
      source = draft.masked;
      unescaped = mayHoldEscapes(source) ? foldEscapes(source) : undefined;
    }
    if (unescaped) {
      found = scanFolded(draft, unescaped, meaning, settings) || found;
      if (unescaped.joined)
        found = scanFolded(draft, foldEscapes(draft.masked, true), meaning, settings) || found;
    }
    if (!found) return;
    if (!hasOddUnits(draft.masked) && !mayHoldCard(draft.masked, 0, draft.masked.length)) return;
  }
}

function hideTracks(draft: Draft, folded: Folded): void {
  const { whole } = findSensitive(folded.text, digitGroups(folded.text), "no");
  const claims = new Claims(folded.text.length, whole.length);
  const edits = whole
    .filter(({ from, to }) => claims.claim(from, to))
    .map((match) => hideAll(draft.masked, folded, match));
  if (edits.length > 0) draft.apply(edits.toSorted((a, b) => a.start - b.start));
}

/** Adds what the folded form of the draft shows; tells whether that was anything. */
function scanFolded(draft: Draft, folded: Folded, meaning: number, settings: Settings): boolean {
  const { text } = folded;
  const groups = digitGroups(text);
  if (groups.length === 0) return false;
  const context = (meaning & KEY.context) !== 0;
  const panContext = {
    context,
    panKey: (meaning & KEY.pan) !== 0,
    other: (meaning & KEY.other) !== 0,
    contextWords: settings.contextWords,
    allowed: settings.allowed,
    strictness: settings.strictness,
  };
  const pans = [...findPans(text, groups, panContext), ...findCutPans(text, groups, panContext)];
  const { whole, codes } = findSensitive(
    text,
    groups,
    pans.length > 0 ? "inside" : context ? "around" : "no",
  );
  for (const pan of pans) {
    const code = codeAfterCard(text, pan.to);
    if (code) codes.push(code);
  }
  if (pans.length + whole.length + codes.length === 0) return false;

  // A track swallows the card in it; a card swallows what a word before it makes look like a code.
  const claims = new Claims(text.length, pans.length + whole.length + codes.length);
  const edits: Edit[] = [
    ...whole
      .filter(({ from, to }) => claims.claim(from, to))
      .map((match) => hideAll(draft.masked, folded, match)),
    ...pans.filter(({ from, to }) => claims.claim(from, to)).map((pan) => hidePan(draft.masked, folded, pan)),
    ...codes
      .filter(({ from, to }) => claims.claim(from, to))
      .map((match) => hideAll(draft.masked, folded, match)),
  ];
  draft.apply(edits.toSorted((a, b) => a.start - b.start));
  return true;
}

function hideAll(source: string, folded: Folded, match: SensitiveMatch): Edit {
  const start = startOf(folded, match.from);
  const end = endOf(folded, match.to);
  const stars = starsFor(source, folded, match.from, match.to, () => true);
  const { kind, rule, digits } = match;
  const finding = { kind, rule, digits, brand: undefined, start, end, ends: digits !== undefined };
  return { start, end, masked: stars, withoutSad: stars, findings: [finding] };
}

function hidePan(source: string, folded: Folded, pan: PanMatch): Edit {
  const start = startOf(folded, pan.from);
  const end = endOf(folded, pan.to);
  let total = 0;
  for (let i = pan.from; i < pan.to; i++) if (isDigit(folded.text.charCodeAt(i))) total++;
  let seen = 0;
  const masked = starsFor(source, folded, pan.from, pan.to, (i) => {
    if (!isDigit(folded.text.charCodeAt(i))) return false;
    const position = seen++;
    return position >= pan.showFirst && position < total - pan.showLast;
  });
  const findings = pan.readings.map((reading): LocalFinding => ({
    kind: "pan",
    ...reading,
    start,
    end,
    ends: pan.showLast > 0,
  }));
  return { start, end, masked, withoutSad: undefined, findings };
}

function startOf(folded: Folded, at: number): number {
  return folded.starts ? folded.starts[at]! : at;
}

function endOf(folded: Folded, at: number): number {
  return folded.ends ? folded.ends[at - 1]! : at;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
