import { createHmac } from "node:crypto";

import { BUILT_IN_POLICY } from "./built-in-policy.js";
import { freeTexts } from "./free-texts.js";
import { passesLuhn } from "./luhn.js";
import type { Form } from "./matrix-carriers.js";
import type { Positive } from "./matrix.js";
import { NEGATIVE_KINDS, negatives, positives } from "./matrix.js";
import type { ScanResult } from "./scan.js";
import { scanJson, scanText } from "./scan.js";

export interface Tally {
  cases: number;
  found: number;
  foundByPlainRule: number;
}

export interface MatrixReport {
  all: Tally;
  byBrand: Map<string, Tally>;
  bySeparator: Map<string, Tally>;
  byCarrier: Map<string, Tally>;
  falseHits: Map<string, Tally>;
  missed: Positive[];
}

export interface FreeTextReport {
  all: Tally;
  byWriting: Map<string, Tally>;
  /** The same texts without cards, and those of them in which one was found. */
  without: Tally;
}

/** What people write, in turn as text and as a message's text block; found means what it means in the matrix. */
export function runFreeTexts(seed: number, texts: number): FreeTextReport {
  const report: FreeTextReport = { all: emptyTally(), byWriting: new Map(), without: emptyTally() };
  let asJson = false;
  for (const { cards, text, without } of freeTexts(seed, texts)) {
    asJson = !asJson;
    const form = asJson ? "json" : "text";
    const message = asJson ? JSON.stringify({ text }) : text;
    const { findings, masked } = scan({ form, message });
    const plain = plainRule(message);
    for (const card of cards) {
      const gone = !masked.includes(asJson ? JSON.stringify(card.written).slice(1, -1) : card.written);
      const found = gone && findings.some(({ fingerprint }) => fingerprint === fingerprintOf(card.digits));
      for (const tally of [report.all, tallyOf(report.byWriting, card.writing)]) {
        count(tally, found, plain.includes(card.digits));
      }
    }
    const bare = scan({ form, message: asJson ? JSON.stringify({ text: without }) : without });
    count(
      report.without,
      bare.findings.some(({ kind }) => kind === "pan"),
      plainRule(without).length > 0,
    );
  }
  return report;
}

const FINGERPRINT_KEY = new Uint8Array(32);
const MISSED_MAX = 20;

/** Runs every case of the matrix through this library, and through the rule that most detectors come down to. */
export function runMatrix(seed: number, negativesPerKind: number): MatrixReport {
  const report: MatrixReport = {
    all: emptyTally(),
    byBrand: new Map(),
    bySeparator: new Map(),
    byCarrier: new Map(),
    falseHits: new Map(),
    missed: [],
  };
  for (const positive of positives(seed)) {
    const found = finds(positive);
    const plain = plainRule(positive.message).includes(positive.digits);
    const { byBrand, bySeparator, byCarrier } = report;
    for (const tally of [
      report.all,
      tallyOf(byBrand, positive.brand),
      tallyOf(bySeparator, positive.separator),
      tallyOf(byCarrier, positive.carrier),
    ]) {
      count(tally, found, plain);
    }
    if (!found && report.missed.length < MISSED_MAX) report.missed.push(positive);
  }
  for (const kind of NEGATIVE_KINDS) {
    const tally = tallyOf(report.falseHits, kind);
    for (const negative of negatives(kind, negativesPerKind, seed)) {
      count(tally, scan(negative).findings.length > 0, plainRule(negative.message).length > 0);
    }
  }
  return report;
}

/** Found means: this very number was recognised wherever it stands, and it is gone from the masked message. */
function finds(positive: Positive): boolean {
  const { findings, masked } = scan(positive);
  const digits = fingerprintOf(positive.digits);
  const times = findings.filter(({ fingerprint }) => fingerprint === digits).length;
  return times >= positive.times && !masked.includes(positive.digits);
}

function fingerprintOf(digits: string): string {
  return createHmac("sha256", FINGERPRINT_KEY).update(digits).digest("hex");
}

function scan({ form, message }: { form: Form; message: string }): Pick<ScanResult, "findings" | "masked"> {
  const options = { policy: BUILT_IN_POLICY, fingerprintKey: FINGERPRINT_KEY };
  switch (form) {
    case "text":
      return scanText(message, options);
    case "json":
      return scanJson(message, options);
    case "sse":
      return scanJson(dataOf(message), options);
  }
}

/** The data of an event, as every reader of a stream puts it together: it is what is searched, and written anew. */
function dataOf(event: string): string {
  const lines = event.split("\n").filter((line) => line.startsWith("data:"));
  return lines.map((line) => line.replace(/^data: ?/, "")).join("\n");
}

/** Twelve to nineteen digits, perhaps with spaces or hyphens, that pass the check digit. */
function plainRule(text: string): string[] {
  return [...text.matchAll(/(?<!\d)\d(?:[ -]?\d){11,18}(?!\d)/g)]
    .map(([match]) => match.replace(/[ -]/g, ""))
    .filter(passesLuhn);
}

function tallyOf(tallies: Map<string, Tally>, name: string): Tally {
  let tally = tallies.get(name);
  if (!tally) tallies.set(name, (tally = emptyTally()));
  return tally;
}

function emptyTally(): Tally {
  return { cases: 0, found: 0, foundByPlainRule: 0 };
}

function count(tally: Tally, found: boolean, plain: boolean): void {
  tally.cases++;
  if (found) tally.found++;
  if (plain) tally.foundByPlainRule++;
}
