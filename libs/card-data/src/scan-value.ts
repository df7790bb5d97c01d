import { Claims } from "./claims.js";
import { base64Runs, mayHoldBase64 } from "./base64.js";
import type { Folded } from "./fold.js";
import { foldEscapes, foldUnicode, hasOddUnits, mayHoldEscapes } from "./fold.js";
import { KEY } from "./keys.js";
import type { Edit } from "./draft.js";
import { Draft } from "./draft.js";
import { starsFor } from "./stars.js";
import type { PanMatch } from "./pan.js";
import { digitGroups, findPans, mayHoldCard } from "./pan.js";
import type { Found, LocalFinding } from "./rewrite.js";
import { applyRewrites } from "./rewrite.js";
import { scanJsonTokens } from "./scan-tokens.js";
import type { SensitiveMatch } from "./sensitive.js";
import { codeAfterCard, findSensitive } from "./sensitive.js";
import type { Settings } from "./settings.js";

/** What surrounds a value: the meanings of its key (see KEY), and how many carriers it was unwrapped from. */
export interface Place {
  meaning: number;
  depth: number;
}

/** JSON in a string, base64 in JSON, and so on: carriers deeper than this are searched as plain text only. */
export const CARRIER_DEPTH_MAX = 5;

/** Card data in one string, whatever carries it there. */
export function scanValue(value: string, place: Place, settings: Settings): Found {
  const sensitive = (place.meaning & (KEY.cvv | KEY.track | KEY.pin | KEY.pinBlock)) !== 0;
  if (sensitive) {
    const whole = sensitiveField(value, place.meaning);
    if (whole) return whole;
  }
  if (looksLikeJson(value)) {
    if (place.depth >= CARRIER_DEPTH_MAX)
      return withUnscanned(value, scanPlain(value, place, settings), "depth");
    const nested = scanJsonTokens(value, { ...place, depth: place.depth + 1 }, settings);
    if (nested) return nested;
  }
  return scanPlain(value, place, settings);
}

const CLAIMED_UNITS_MAX = 4096;

/** The whole of a field whose name says that it is sensitive, if its value can be that. */
export function sensitiveField(value: string, meaning: number): Found | undefined {
  if (value.length > CLAIMED_UNITS_MAX) return undefined;
  const text = foldUnicode(value).text.trim();
  let kind: SensitiveMatch["kind"] | undefined;
  if (
    (meaning & KEY.cvv) !== 0 &&
    /^\d[\d -]{1,4}\d$/.test(text) &&
    /^\d{3,4}$/.test(text.replace(/[ -]/g, ""))
  ) {
    kind = "cvv";
  } else if ((meaning & KEY.pinBlock) !== 0 && /^(?:0x)?(?:[0-9a-f]{2}[ :-]?){8,24}$/i.test(text)) {
    kind = "pinblock";
  } else if ((meaning & KEY.pin) !== 0 && /^\d{4,12}$/.test(text)) kind = "pin";
  else if ((meaning & KEY.track) !== 0 && (text.match(/\d/g)?.length ?? 0) >= 12) kind = "track";
  if (!kind) return undefined;
  const stars = "*".repeat(value.length);
  return {
    findings: [
      {
        kind,
        brand: undefined,
        rule: `${kind}.key`,
        start: 0,
        end: value.length,
        digits: undefined,
        ends: false,
      },
    ],
    rewrites: [{ start: 0, end: value.length, masked: stars, withoutSad: stars }],
  };
}

function looksLikeJson(value: string): boolean {
  const first = /[^\s\ufeff]/.exec(value)?.[0];
  return first === "{" || first === "[" || first === '"';
}

function scanPlain(value: string, place: Place, settings: Settings): Found {
  const draft = new Draft(value);
  searchText(draft, place, settings);
  if (mayHoldBase64(draft.masked, 0, value.length)) scanBase64(draft, place, settings);
  return draft.found();
}

/** Hiding one card can part digits that belonged together in another reading, so the rest is read again. */
const READINGS_MAX = 4;

/** Card data in plain text, with escapes and without. */
function searchText(draft: Draft, place: Place, settings: Settings): void {
  for (let reading = 0; reading < READINGS_MAX; reading++) {
    let found = scanFolded(draft, foldUnicode(draft.masked), place, settings);
    if (mayHoldEscapes(draft.masked)) {
      found = scanFolded(draft, foldEscapes(draft.masked), place, settings) || found;
    }
    if (!found) return;
    if (!hasOddUnits(draft.masked) && !mayHoldCard(draft.masked, 0, draft.masked.length)) return;
  }
}

/** Adds what the folded form of the draft shows; tells whether that was anything. */
function scanFolded(draft: Draft, folded: Folded, place: Place, settings: Settings): boolean {
  const { text } = folded;
  const groups = digitGroups(text);
  if (groups.length === 0) return false;
  const context = (place.meaning & KEY.context) !== 0;
  const pans = findPans(text, groups, {
    context,
    panKey: (place.meaning & KEY.pan) !== 0,
    other: (place.meaning & KEY.other) !== 0,
    contextWords: settings.contextWords,
    allowed: settings.allowed,
  });
  const { whole, codes } = findSensitive(text, groups, context || pans.length > 0);
  for (const pan of pans) {
    const code = codeAfterCard(text, pan.to);
    if (code) codes.push(code);
  }
  if (pans.length + whole.length + codes.length === 0) return false;

  // A track swallows the card in it; a card swallows what a word before it makes look like a code.
  const claims = new Claims(text.length);
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

function scanBase64(draft: Draft, place: Place, settings: Settings): void {
  const edits: Edit[] = [];
  for (const { start, end, decoded, text, encode } of base64Runs(draft.masked)) {
    if (place.depth >= CARRIER_DEPTH_MAX) {
      if (text) draft.findings.push(unscanned(start, end, "depth"));
      continue;
    }
    const inner = scanValue(decoded, { meaning: place.meaning, depth: place.depth + 1 }, settings);
    const findings = inner.findings.map((finding) => ({ ...finding, start, end }));
    if (inner.rewrites.length === 0) draft.findings.push(...findings);
    else {
      const withoutSad = applyRewrites(decoded, inner.rewrites, "withoutSad");
      edits.push({
        start,
        end,
        masked: encode(applyRewrites(decoded, inner.rewrites, "masked")),
        withoutSad: withoutSad === decoded ? undefined : encode(withoutSad),
        findings,
      });
    }
  }
  draft.finish(edits);
}

function withUnscanned(value: string, found: Found, why: string): Found {
  found.findings.push(unscanned(0, value.length, why));
  return found;
}

function unscanned(start: number, end: number, why: string): LocalFinding {
  return {
    kind: "unscanned",
    brand: undefined,
    rule: `unscanned.${why}`,
    start,
    end,
    digits: undefined,
    ends: false,
  };
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
