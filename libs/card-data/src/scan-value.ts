import { Claims } from "./claims.js";
import { base64Runs, mayHoldBase64 } from "./base64.js";
import type { Folded } from "./fold.js";
import { foldEscapes, foldUnicode, mayHoldEscapes } from "./fold.js";
import { KEY } from "./keys.js";
import { starsFor } from "./stars.js";
import type { PanMatch } from "./pan.js";
import { digitGroups, findPans } from "./pan.js";
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
  const found: Found = { findings: [], rewrites: [] };
  const claims = new Claims(value.length);
  scanFolded(value, foldUnicode(value), place, settings, claims, found);
  if (mayHoldEscapes(value)) scanFolded(value, foldEscapes(value), place, settings, claims, found);
  if (mayHoldBase64(value, 0, value.length)) scanBase64(value, place, settings, claims, found);
  if (found.rewrites.length > 1) {
    found.rewrites.sort((a, b) => a.start - b.start);
    found.findings.sort((a, b) => a.start - b.start);
  }
  return found;
}

/** Adds what the folded text shows and nothing found before covers. */
function scanFolded(
  value: string,
  folded: Folded,
  place: Place,
  settings: Settings,
  claims: Claims,
  found: Found,
): void {
  const { text } = folded;
  const groups = digitGroups(text);
  if (groups.length === 0) return;
  const context = (place.meaning & KEY.context) !== 0;
  const pans = findPans(text, groups, {
    context,
    panKey: (place.meaning & KEY.pan) !== 0,
    other: (place.meaning & KEY.other) !== 0,
    contextWords: settings.contextWords,
    allowed: settings.allowed,
  });
  const sensitive = findSensitive(text, groups, context || pans.length > 0);
  for (const pan of pans) {
    const code = codeAfterCard(text, pan.to);
    if (code) sensitive.push(code);
  }
  // Sensitive data first: a track swallows the card number in it.
  for (const match of sensitive) addSensitive(value, folded, match, claims, found);
  for (const pan of pans) addPan(value, folded, pan, claims, found);
}

function addSensitive(
  value: string,
  folded: Folded,
  match: SensitiveMatch,
  claims: Claims,
  found: Found,
): void {
  const start = startOf(folded, match.from);
  const end = endOf(folded, match.to);
  if (!claims.claim(start, end)) return;
  const stars = starsFor(value, folded, match.from, match.to, () => true);
  found.rewrites.push({ start, end, masked: stars, withoutSad: stars });
  found.findings.push({
    kind: match.kind,
    brand: undefined,
    rule: match.rule,
    start,
    end,
    digits: match.digits,
    ends: match.digits !== undefined,
  });
}

function addPan(value: string, folded: Folded, pan: PanMatch, claims: Claims, found: Found): void {
  const start = startOf(folded, pan.from);
  const end = endOf(folded, pan.to);
  if (!claims.claim(start, end)) return;
  let total = 0;
  for (let i = pan.from; i < pan.to; i++) if (isDigit(folded.text.charCodeAt(i))) total++;
  let seen = 0;
  const masked = starsFor(value, folded, pan.from, pan.to, (i) => {
    if (!isDigit(folded.text.charCodeAt(i))) return false;
    const position = seen++;
    return position >= pan.showFirst && position < total - pan.showLast;
  });
  found.rewrites.push({ start, end, masked, withoutSad: value.slice(start, end) });
  for (const reading of pan.readings) {
    found.findings.push({ kind: "pan", ...reading, start, end, ends: pan.showLast > 0 });
  }
}

function scanBase64(value: string, place: Place, settings: Settings, claims: Claims, found: Found): void {
  for (const run of base64Runs(value)) {
    if (place.depth >= CARRIER_DEPTH_MAX) {
      if (run.text) found.findings.push(unscanned(run.start, run.end, "depth"));
      continue;
    }
    const inner = scanValue(run.decoded, { meaning: place.meaning, depth: place.depth + 1 }, settings);
    if (inner.findings.length === 0 || !claims.claim(run.start, run.end)) continue;
    for (const finding of inner.findings) {
      found.findings.push({ ...finding, start: run.start, end: run.end });
    }
    if (inner.rewrites.length === 0) continue;
    found.rewrites.push({
      start: run.start,
      end: run.end,
      masked: run.encode(applyRewrites(run.decoded, inner.rewrites, "masked")),
      withoutSad: run.encode(applyRewrites(run.decoded, inner.rewrites, "withoutSad")),
    });
  }
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
