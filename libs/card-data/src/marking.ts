import type { Code, ValueType, WasmFunction } from "./wasm-code.js";
import { bytes, get, I32, i32, I64, i64, repeat, returnIf, set, V128, compile } from "./wasm-code.js";

/**
 * The first look at a text: WebAssembly that walks its bytes sixteen at a time, without a branch, and leaves marks of
 * one bit for each byte. Whoever reads the text asks the marks, and looks at bytes only where they call for it.
 *
 * The marks of a run lie on its last bytes, from the first byte on that makes it long enough.
 */
export const MARKS = [
  /** Ends the fast walk through a JSON string: a quote, a backslash, a control character, or not ASCII. */
  "stops",
  "digits",
  /** Twelve or more digits and signs that may stand between two digits of a card. */
  "rows",
  /** Sixteen or more signs of base64 or base64url. */
  "words",
  /** The third digit of a number behind a sign that is none of a word, before which stands no digit but a 2. */
  "codes",
  /** The sixteenth hexadecimal sign of a word, or of what follows a hyphen in one. */
  "blocks",
  /** What begins an escape: `\ % &`. */
  "escapes",
  /** Any of the five before: where this has no mark, text holds no card data unless it is JSON. */
  "looks",
] as const;
export type Mark = (typeof MARKS)[number];

/** So many bytes are marked at once. */
export const BLOCK_BYTES = 64;
const PART_BYTES = 16;

export interface Marking {
  /** Marks the bytes from 0 to `to`, at `marks` and at every `stride` bytes from there; whole blocks all of them. */
  mark(to: number, marks: number, stride: number): void;
  /**
   * The first of the quartets of base64 from `from` on that begins as three encoded digits do. Where there is none
   * before, the answer is one of the last four before `to`, or `from`.
   */
  findDigitQuartet(from: number, to: number): number;
}

const anyOf = (...masks: Code[]) => masks.reduce((one, other) => bytes.or(one, other));

function markFunction(): WasmFunction {
  const [to, marks, stride] = [0, 1, 2];
  const locals = new Locals(3);
  const at = locals.add(I32);
  const body: Code[] = [];
  const keep = (value: Code): number => {
    const local = locals.add(I64);
    body.push(set(local, value));
    return local;
  };

  const { stops, digits, joined, plain, base64, hexes, escapes, notTwos } = classify(get(at), locals, body);

  /** What must be known of a block when the next one is marked. */
  const former = new Map<number, number>();
  /** The marks, each moved to the byte so many places later. */
  const later = (local: number, places: number): Code => {
    const before = former.get(local) ?? locals.add(I64);
    former.set(local, before);
    return i64.or(i64.left(get(local), places), i64.right(get(before), BLOCK_BYTES - places));
  };
  const both = (local: number, earlier: number, places: number) =>
    keep(i64.and(get(local), later(earlier, places)));
  const fourInARow = (one: number) => {
    const two = both(one, one, 1);
    return both(two, two, 2);
  };
  const sixteenInARow = (one: number) => {
    const four = fourInARow(one);
    const eight = both(four, four, 4);
    return both(eight, eight, 8);
  };
  const fourJoined = fourInARow(joined);
  const rows = both(both(fourJoined, fourJoined, 4), fourJoined, 8);
  const words = sixteenInARow(base64);
  const blocks = keep(i64.and(get(sixteenInARow(hexes)), i64.not(later(plain, 16))));
  const threeDigits = i64.and(i64.and(get(digits), later(digits, 1)), later(digits, 2));
  const inNumber = i64.or(later(plain, 3), later(notTwos, 4));
  const codes = keep(i64.and(threeDigits, i64.not(inNumber)));
  const looks = keep(
    [rows, words, codes, blocks, escapes].map(get).reduce((one, other) => i64.or(one, other)),
  );

  const made: Record<Mark, number> = { stops, digits, rows, words, codes, blocks, escapes, looks };
  const target = locals.add(I32);
  body.push(set(target, i32.add(get(marks), i32.right(get(at), 3))));
  for (const kind of MARKS) {
    body.push(i64.store(get(target), get(made[kind])), set(target, i32.add(get(target), get(stride))));
  }
  for (const [local, before] of former) body.push(set(before, get(local)));
  body.push(set(at, i32.add(get(at), i32.const(BLOCK_BYTES))));
  return {
    name: "mark",
    parameters: 3,
    results: [],
    locals: locals.types,
    body: [...locals.prologue.flat(), ...repeat(body.flat(), i32.greater(get(to), get(at)))],
  };
}

const CLASSES = ["stops", "digits", "joined", "plain", "base64", "hexes", "escapes", "notTwos"] as const;
type Class = (typeof CLASSES)[number];

/** Marks each byte of a block by what it is, whatever stands beside it. */
function classify(at: Code, locals: Locals, body: Code[]): Record<Class, number> {
  const signs = locals.add(V128);
  const lower = locals.add(V128);
  const digit = locals.add(V128);
  const plain = locals.add(V128);
  const s = get(signs);
  const is = (sign: string) => locals.is(s, sign);
  const isBetween = (of: Code, first: string, last: string) => locals.isBetween(of, first, last);
  const classes: Record<Class, Code> = {
    stops: anyOf(is('"'), is("\\"), bytes.less(s, locals.all(0x20))),
    digits: get(digit),
    // - . / and the digits follow each other in ASCII.
    joined: anyOf(isBetween(s, "-", "9"), is(" "), is("_")),
    plain: get(plain),
    base64: bytes.or(get(plain), is("-")),
    hexes: bytes.or(get(digit), isBetween(get(lower), "a", "f")),
    notTwos: bytes.without(get(digit), is("2")),
    escapes: anyOf(is("\\"), is("%"), is("&")),
  };
  const marks = Object.fromEntries(CLASSES.map((of) => [of, locals.add(I64)])) as Record<Class, number>;
  for (let part = 0; part < BLOCK_BYTES; part += PART_BYTES) {
    body.push(
      set(signs, bytes.load(at, part)),
      set(lower, bytes.or(s, locals.all(0x20))),
      set(digit, isBetween(s, "0", "9")),
      set(plain, anyOf(get(digit), isBetween(get(lower), "a", "z"), is("+"), is("/"), is("_"))),
    );
    for (const of of CLASSES) {
      const bits = i64.left(i64.from(bytes.highBits(classes[of])), part);
      body.push(set(marks[of], part === 0 ? bits : i64.or(get(marks[of]), bits)));
    }
  }
  return marks;
}

function findDigitQuartetFunction(): WasmFunction {
  const [at, to] = [0, 1];
  const locals = new Locals(2);
  const signs = locals.add(V128);
  const found = locals.add(I32);
  const s = get(signs);
  const second = anyOf(...["D", "T", "j", "z"].map((sign) => locals.is(s, sign)));
  const digits = bytes.and(locals.isBetween(s, "M", "P"), bytes.next(second));
  const next = i32.add(get(at), i32.const(PART_BYTES));
  const isPast = i32.greater(next, get(to));
  return {
    name: "findDigitQuartet",
    parameters: 2,
    results: [I32],
    locals: locals.types,
    body: [
      ...locals.prologue.flat(),
      ...returnIf(isPast, get(at)),
      ...repeat(
        [
          ...set(signs, bytes.load(get(at), 0)),
          ...set(found, i32.and(bytes.highBits(digits), i32.const(FIRST_OF_QUARTETS))),
          ...returnIf(get(found), i32.add(get(at), i32.trailingZeros(get(found)))),
          ...set(at, next),
        ],
        i32.isZero(isPast),
      ),
      ...get(at),
    ],
  };
}

const FIRST_OF_QUARTETS = 0x1111;

/** Gives each local its place as it is asked for, and compares signs with constants, which are locals too. */
class Locals {
  readonly types: ValueType[] = [];
  /** Sets the constants; the loops would make them anew each time. */
  readonly prologue: Code[] = [];
  private readonly constants = new Map<number, number>();

  constructor(private readonly parameters: number) {}

  add(type: ValueType): number {
    return this.parameters + this.types.push(type) - 1;
  }

  /** Sixteen times the byte. */
  all(byte: number): Code {
    let local = this.constants.get(byte);
    if (local === undefined) {
      this.constants.set(byte, (local = this.add(V128)));
      this.prologue.push(set(local, bytes.const(byte)));
    }
    return get(local);
  }

  is(signs: Code, sign: string): Code {
    return bytes.equal(signs, this.all(sign.charCodeAt(0)));
  }

  /** ASCII from `first` to `last`: moved up so far that only these exceed what else a signed byte may be. */
  isBetween(signs: Code, first: string, last: string): Code {
    const low = first.charCodeAt(0);
    const high = last.charCodeAt(0);
    return bytes.greater(bytes.add(signs, this.all(0x7f - high)), this.all(0x7e - high + low));
  }
}

/** Makes a memory, and the functions that mark it. */
export const createMarking = compile<Marking>([markFunction(), findDigitQuartetFunction()]);
