import canonicalize from "canonicalize";
import { CanonicalizationRefused } from "./errors.js";

/** Deeper than any record; keeps a hostile bundle from exhausting the stack. */
export const depthMax = 64;

/**
 * The JSON Canonicalization Scheme (RFC 8785): one text for one value.
 *
 * JSON.stringify and most canonicalizers leave out what JSON cannot say, or write something else in its place; two
 * different values would then have one digest. This function throws `CanonicalizationRefused` instead: for undefined,
 * functions, symbols, bigints, non-finite numbers, lone surrogates, holes in arrays, objects that are not plain
 * (dates, maps), and values nested deeper than `depthMax`.
 */
export function canonicalJson(value: unknown): string {
  refuseInexpressible(value, "", 0);
  const text = canonicalize(value);
  if (text === undefined) throw new CanonicalizationRefused("it is not a JSON value", "");
  return text;
}

function refuseInexpressible(value: unknown, path: string, depth: number): void {
  if (depth > depthMax) throw new CanonicalizationRefused(`it is nested deeper than ${depthMax}`, path);
  switch (typeof value) {
    case "boolean":
      return;
    case "string":
      return refuseLoneSurrogates(value, path);
    case "number":
      if (!Number.isFinite(value)) throw new CanonicalizationRefused("it is not a finite number", path);
      return;
    case "object":
      if (value === null) return;
      return Array.isArray(value) ? refuseInArray(value, path, depth) : refuseInObject(value, path, depth);
    case "undefined":
    case "function":
    case "symbol":
    case "bigint":
      throw new CanonicalizationRefused(`JSON has no ${typeof value}`, path);
  }
}

function refuseInArray(array: readonly unknown[], path: string, depth: number): void {
  if (Object.keys(array).length !== array.length) {
    throw new CanonicalizationRefused("the array has holes or named members", path);
  }
  array.forEach((item, index) => refuseInexpressible(item, `${path}/${index}`, depth + 1));
}

function refuseInObject(object: object, path: string, depth: number): void {
  const prototype: unknown = Object.getPrototypeOf(object);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new CanonicalizationRefused("it is not a plain object", path);
  }
  if (Object.getOwnPropertySymbols(object).length > 0) {
    throw new CanonicalizationRefused("it has members named by symbols", path);
  }
  for (const [name, member] of Object.entries(object)) {
    const memberPath = `${path}/${pointerToken(name)}`;
    refuseLoneSurrogates(name, memberPath);
    refuseInexpressible(member, memberPath, depth + 1);
  }
}

function refuseLoneSurrogates(text: string, path: string): void {
  if (!text.isWellFormed()) {
    throw new CanonicalizationRefused("the text holds a lone surrogate", path.toWellFormed());
  }
}

/** One reference token of a JSON Pointer (RFC 6901). */
export const pointerToken = (name: string): string => name.replaceAll("~", "~0").replaceAll("/", "~1");
