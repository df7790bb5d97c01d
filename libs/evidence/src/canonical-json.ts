import { CanonicalizationRefused } from "./errors.js";

/** Deeper than any record; keeps a hostile bundle from exhausting the stack. */
export const depthMax = 64;

type JsonObject = Readonly<Record<string, unknown>>;

/** The name of a member of `object` that is not to be written, if there is one. */
export type LeaveOut = (object: JsonObject) => string | undefined;

/**
 * The JSON Canonicalization Scheme (RFC 8785): one text for one value.
 *
 * JSON.stringify and most canonicalizers leave out what JSON cannot say, or write something else in its place; two
 * different values would then have one digest. This function throws `CanonicalizationRefused` instead: for undefined,
 * functions, symbols, bigints, non-finite numbers, lone surrogates, holes in arrays, objects that are not plain
 * (dates, maps), and values nested deeper than `depthMax`. `leaveOut` names members to pass over.
 */
export const canonicalJson = (value: unknown, leaveOut: LeaveOut = nothing): string =>
  new Writer(leaveOut).text(value);

const nothing: LeaveOut = () => undefined;

/** Most texts are names, ids and digests, which JSON writes as they are; to ask that first is quicker than to quote. */
const plain = /^[ !#-[\]-~]*$/;
const plainCharactersMax = 200;

/** Checks and writes in one pass: every record of the log takes it twice. */
class Writer {
  /** The names and indexes that lead to where the writer is. */
  readonly #path: (string | number)[] = [];

  constructor(private readonly leaveOut: LeaveOut) {}

  text(value: unknown): string {
    if (this.#path.length > depthMax) throw this.#refusal(`it is nested deeper than ${depthMax}`);
    switch (typeof value) {
      case "boolean":
        return value ? "true" : "false";
      case "string":
        return this.#string(value);
      case "number":
        if (!Number.isFinite(value)) throw this.#refusal("it is not a finite number");
        // RFC 8785 §3.2.2.3 writes numbers as ECMAScript does.
        return String(value);
      case "object":
        if (value === null) return "null";
        return Array.isArray(value) ? this.#array(value) : this.#object(value);
      case "undefined":
      case "function":
      case "symbol":
      case "bigint":
        throw this.#refusal(`JSON has no ${typeof value}`);
    }
  }

  #string(text: string): string {
    if (text.length < plainCharactersMax && plain.test(text)) return `"${text}"`;
    if (!text.isWellFormed()) throw this.#refusal("the text holds a lone surrogate");
    return JSON.stringify(text);
  }

  #array(array: readonly unknown[]): string {
    if (Object.keys(array).length !== array.length) {
      throw this.#refusal("the array has holes or named members");
    }
    let written = "";
    for (const [index, item] of array.entries()) {
      this.#path.push(index);
      written += (written === "" ? "" : ",") + this.text(item);
      this.#path.pop();
    }
    return `[${written}]`;
  }

  #object(object: object): string {
    const prototype: unknown = Object.getPrototypeOf(object);
    if (prototype !== Object.prototype && prototype !== null) {
      throw this.#refusal("it is not a plain object");
    }
    if (Object.getOwnPropertySymbols(object).length > 0) {
      throw this.#refusal("it has members named by symbols");
    }
    const members = object as JsonObject;
    const leftOut = this.leaveOut(members);
    let written = "";
    // Plain sorting goes by UTF-16 code units, as RFC 8785 §3.2.3 wants it.
    for (const name of Object.keys(members).toSorted()) {
      if (name === leftOut) continue;
      this.#path.push(name);
      written += `${written === "" ? "" : ","}${this.#string(name)}:${this.text(members[name])}`;
      this.#path.pop();
    }
    return `{${written}}`;
  }

  #refusal(why: string): CanonicalizationRefused {
    return new CanonicalizationRefused(why, pointerOf(this.#path).toWellFormed());
  }
}

/** The JSON Pointer (RFC 6901) of what names and indexes lead to. */
export const pointerOf = (path: readonly (string | number)[]): string =>
  path.map((step) => `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
