import { scanJson, type ScanOptions } from "@countersign/card-data";
import type { Finding } from "@countersign/contracts";
import { type JsonValue, jsonValuesOf } from "./json-values.js";
import { type Missed, withoutDigits } from "./look-again.js";

/** One payload as the window sees it; `Id` says where it was recorded. */
export interface Seen<Id> {
  readonly id: Id;
  readonly sessionId: string;
  /** Pieces are joined along the same field of the same message to the same tool. */
  readonly field: string;
  readonly text: string;
  readonly atMs: number;
}

interface Piece<Id> {
  readonly seen: Seen<Id>;
  readonly at: JsonValue;
  readonly digits: string;
}

const sessionsMax = 500;
const piecesMax = 8;
const joinedMax = 5;
const ageMsMax = 120_000;
const textCharactersMax = 16 * 1_024;
const pieceShape = /^\d[\d .-]{2,18}$/;

/**
 * Cards that travel in pieces, one message at a time, in a field that is named for cards: no single message holds
 * them. A restart forgets what was seen so far.
 */
export class SessionWindow<Id> {
  readonly #pieces = new Map<string, Piece<Id>[]>();

  /** What the piece that now came completes: every payload that holds a part of it. */
  add(seen: Seen<Id>, options: ScanOptions): { seen: Seen<Id>; missed: Missed }[] {
    if (seen.text.length > textCharactersMax) return [];
    return (jsonValuesOf(seen.text) ?? [])
      .filter(({ key, value }) => pieceShape.test(value) && isCardKey(key, options))
      .flatMap((at) => this.#add({ seen, at, digits: value(at) }, options));
  }

  #add(piece: Piece<Id>, options: ScanOptions): { seen: Seen<Id>; missed: Missed }[] {
    const place = JSON.stringify([piece.seen.sessionId, piece.seen.field, piece.at.path]);
    const recent = (this.#pieces.get(place) ?? []).filter(
      ({ seen }) => piece.seen.atMs - seen.atMs <= ageMsMax,
    );
    const pieces = [...recent, piece].slice(-piecesMax);
    this.#pieces.delete(place);
    this.#pieces.set(place, pieces);
    const [oldest] = this.#pieces.keys();
    if (this.#pieces.size > sessionsMax && oldest !== undefined) this.#pieces.delete(oldest);
    for (let count = 2; count <= Math.min(joinedMax, pieces.length); count += 1) {
      const joined = pieces.slice(-count);
      const findings = cardIn(joined.map(({ digits }) => digits).join(""), options);
      if (findings.length === 0) continue;
      this.#pieces.delete(place);
      return joined.map(({ seen, at }) => ({ seen, missed: hidden(seen.text, at, findings) }));
    }
    return [];
  }
}

const value = (at: JsonValue): string => at.value.replace(/\D/g, "");

function hidden(
  text: string,
  { start, end, path, value: piece }: JsonValue,
  findings: readonly Finding[],
): Missed {
  const stars = JSON.stringify("*".repeat(piece.length));
  return {
    text: text.slice(0, start) + stars + text.slice(end),
    findings: findings.map((finding) =>
      withoutDigits({ ...finding, path, start: 0, end: piece.length, rule: "second.joined" }),
    ),
  };
}

/** Only the certain rule counts: a range of a brand, its length and the check digit. */
function cardIn(digits: string, options: ScanOptions): Finding[] {
  return scanJson(JSON.stringify({ value: digits }), options).findings.filter(
    ({ rule }) => rule === "pan.range",
  );
}

/** A field that is named for cards is one in which any number of a card's length is taken for one. */
function isCardKey(key: string, options: ScanOptions): boolean {
  return scanJson(JSON.stringify({ [key]: "1000000000001" }), options).changed;
}
