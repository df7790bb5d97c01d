import type { Candidate } from "./candidate.js";
import { codeAfterCard } from "./code-after-card.js";
import type { Found } from "./rewrite.js";

/**
 * The code that stands behind a card in a list, as in `["4111…", "12/27", "123"]`; `text` is the JSON, `card` the token
 * of the card. Findings are in units of the value, rewrites in units of the text.
 */
export function codeInList(text: string, card: Candidate): { token: Candidate; found: Found } | undefined {
  if (card.what === "key" || card.frame?.array !== true) return undefined;
  const match = codeAfterCard(text, card.end);
  if (!match) return undefined;
  const { from, to, kind, rule } = match;
  let quote = -1;
  let index = card.index;
  let start = from;
  for (let at = card.end; at < from; at++) {
    const sign = text.charAt(at);
    if (/[[\]{}\\]/.test(sign)) return undefined;
    if (sign === '"') quote = quote < 0 ? at : -1;
    else if (sign === "," && quote < 0) index++;
  }
  let end = to;
  if (quote >= 0) {
    start = quote;
    end = text.indexOf('"', to) + 1;
    if (text.slice(to, end).includes("\\")) return undefined;
  } else if (!/^\s*[,\]]/.test(text.slice(to, to + 40))) return undefined;
  const token: Candidate = {
    ...card,
    what: quote < 0 ? "number" : "string",
    key: undefined,
    index,
    start,
    end,
  };
  const stars = "*".repeat(to - from);
  const written = quote < 0 ? `"${stars}"` : stars;
  const moved = quote < 0 ? from : quote + 1;
  return {
    token,
    found: {
      findings: [
        {
          kind,
          rule,
          brand: undefined,
          start: from - moved,
          end: to - moved,
          digits: undefined,
          ends: false,
        },
      ],
      rewrites: [{ start: from, end: to, masked: written, withoutSad: written }],
    },
  };
}
