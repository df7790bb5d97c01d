import type { Finding } from "@countersign/contracts";

import type { Found } from "./rewrite.js";
import { publicFinding } from "./scan.js";
import { scanValue } from "./scan-value.js";
import type { ScanOptions, Settings } from "./settings.js";
import { prepare } from "./settings.js";

/** A stretch of the masked text, in order; findings count units of the whole text. */
export interface MaskedPiece {
  masked: string;
  findings: Finding[];
}

/** Text is searched once so much more of it has come. */
const STEP_UNITS = 256 * 1024;
/** What is searched again on either side of a cut, so that cards and the words around them are seen whole. */
const OVERLAP_UNITS = 4 * 1024;
/** A text without white space, such as one value in base64, is cut where it must be once it is longer. */
const UNBROKEN_UNITS_MAX = 4 * 1024 * 1024;

/**
 * Masks text of any length in bounded memory. A card is found wherever the chunks and the cuts between steps fall;
 * only in more than four million units without white space may one be missed that a cut divides.
 */
export async function* maskStream(
  source: AsyncIterable<string> | Iterable<string>,
  options: ScanOptions,
): AsyncGenerator<MaskedPiece, void, undefined> {
  const window = new Window(prepare(options));
  for await (const chunk of source) {
    for (let from = 0; from < chunk.length; from += STEP_UNITS) {
      window.add(chunk.slice(from, from + STEP_UNITS));
      while (window.isDue()) yield window.take(false);
    }
  }
  if (!window.isEmpty()) yield window.take(true);
}

class Window {
  private text = "";
  /** How much of `text` was given out before; it stays as what stands before the rest. */
  private given = 0;
  /** Where `text` begins in the whole. */
  private base = 0;
  /** The next step waits for so much text; it grows where there was no place to cut. */
  private due = STEP_UNITS + OVERLAP_UNITS;

  constructor(private readonly settings: Settings) {}

  add(chunk: string): void {
    this.text += chunk;
  }

  isEmpty(): boolean {
    return this.given === this.text.length;
  }

  isDue(): boolean {
    return this.text.length - this.given >= this.due;
  }

  /** Masks what can be told for sure, all of it at the end. */
  take(end: boolean): MaskedPiece {
    const { text, given, base } = this;
    const place = end ? text.length : this.placeToCut();
    if (place === undefined) {
      this.due *= 2;
      return { masked: "", findings: [] };
    }
    this.due = STEP_UNITS + OVERLAP_UNITS;
    const found = scanValue(text, { meaning: 0, depth: 0 }, this.settings);
    const cut = Math.min(
      place,
      ...found.rewrites.filter((r) => r.start < place && r.end > place).map((r) => r.start),
    );
    const to = cut > given ? cut : place;
    const piece = {
      masked: maskedBetween(text, given, to, found),
      findings: found.findings
        .filter(({ start }) => start >= given && start < to)
        .map((finding) =>
          publicFinding(
            { ...finding, start: finding.start + base, end: finding.end + base },
            "",
            this.settings,
          ),
        ),
    };
    const from = Math.max(0, to - OVERLAP_UNITS);
    this.text = text.slice(from);
    this.given = to - from;
    this.base = base + from;
    return piece;
  }

  /** After the last white space that leaves an overlap behind it, best after a line. */
  private placeToCut(): number | undefined {
    const { text, given } = this;
    const limit = text.length - OVERLAP_UNITS;
    const line = text.lastIndexOf("\n", limit - 1) + 1;
    if (line > limit - STEP_UNITS / 2 && line > given) return line;
    for (let at = limit; at > given; at--) if (/\s/.test(text.charAt(at - 1))) return at;
    return text.length - given >= UNBROKEN_UNITS_MAX ? limit : undefined;
  }
}

function maskedBetween(text: string, from: number, to: number, { rewrites }: Found): string {
  const parts: string[] = [];
  let at = from;
  for (const { start, end, masked } of rewrites) {
    if (end <= at || start >= to) continue;
    // What reaches over an edge has been seen in part before: no digit of the rest is shown.
    const inside = start >= at && end <= to;
    const stop = Math.min(end, to);
    parts.push(text.slice(at, Math.max(start, at)));
    parts.push(inside ? masked : text.slice(Math.max(start, at), stop).replace(/\d/g, "*"));
    at = stop;
  }
  parts.push(text.slice(at, to));
  return parts.join("");
}
