import { base64Runs } from "./base64.js";
import { isBinary, unscanned } from "./binary.js";
import type { Edit } from "./draft.js";
import { Draft } from "./draft.js";
import { SENSITIVE_KEYS } from "./keys.js";
import type { Place } from "./place.js";
import type { Found } from "./rewrite.js";
import { applyRewrites } from "./rewrite.js";
import { scanJsonTokens } from "./scan-tokens.js";
import { searchTables } from "./search-tables.js";
import { searchText } from "./search-text.js";
import { sensitiveField } from "./sensitive-field.js";
import type { Settings } from "./settings.js";
import { suspect } from "./suspect-text.js";

/** JSON in a string, base64 in JSON, and so on: carriers deeper than this are searched as plain text only. */
export const CARRIER_DEPTH_MAX = 5;

/** Card data in one string, whatever carries it there. */
export function scanValue(value: string, place: Place, settings: Settings): Found {
  if ((place.meaning & SENSITIVE_KEYS) !== 0) {
    const whole = sensitiveField(value, place.meaning);
    if (whole) return whole;
  }
  if (!MAY_BE_JSON.test(value)) return scanPlain(value, place, settings);
  if (place.depth >= CARRIER_DEPTH_MAX) {
    const found = scanPlain(value, place, settings);
    found.findings.push(unscanned(0, value.length, "depth"));
    return found;
  }
  const inner = { ...place, depth: place.depth + 1 };
  return scanJsonTokens(value, inner, settings, scanValue) ?? scanLines(value, inner, settings);
}

/** Something that begins as JSON does, or a line that does. */
const MAY_BE_JSON = /^[\s\ufeff]*[{["]|\n[{[]/;

/** Text of which some lines may be JSON of their own. */
function scanLines(value: string, place: Place, settings: Settings): Found {
  const found: Found = { findings: [], rewrites: [] };
  let plainFrom = 0;
  const add = (from: number, part: Found) => {
    const shift = <T extends { start: number; end: number }>(item: T): T => {
      return { ...item, start: item.start + from, end: item.end + from };
    };
    for (const finding of part.findings) found.findings.push(shift(finding));
    for (const rewrite of part.rewrites) found.rewrites.push(shift(rewrite));
  };
  const plainTo = (to: number) => {
    if (to > plainFrom) add(plainFrom, scanPlain(value.slice(plainFrom, to), place, settings));
  };
  for (let from = 0; from < value.length;) {
    const newline = value.indexOf("\n", from);
    const to = newline === -1 ? value.length : newline;
    const json = /[{[]/.test(value.charAt(from))
      ? scanJsonTokens(value.slice(from, to), place, settings, scanValue)
      : undefined;
    if (json) {
      plainTo(from);
      add(from, json);
      plainFrom = to;
    }
    from = to + 1;
  }
  plainTo(value.length);
  return found;
}

function scanPlain(value: string, place: Place, settings: Settings): Found {
  const suspicion = suspect(value, place.meaning, settings);
  const draft = new Draft(value);
  if (suspicion.text) {
    searchTables(draft, settings);
    searchText(draft, place.meaning, settings);
  }
  // What was hidden may have stood in the way of what else is written in base64.
  if (suspicion.base64 || draft.masked !== value) scanBase64(draft, place, settings);
  if (isBinary(value, 0, value.length)) draft.findings.push(unscanned(0, value.length, "binary"));
  return draft.found();
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
