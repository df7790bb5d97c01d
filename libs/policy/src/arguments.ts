import type { CedarValueJson } from "@cedar-policy/cedar-wasm/nodejs";
import type { ArgumentType, ArgumentTypes } from "./argument-types.js";

/** A set longer than this is refused, so that a call cannot make a decision slow. */
export const setElementsMax = 1_000;
/** A string longer than this is refused where a policy looks at it. */
export const stringLengthMax = 65_536;

export type ConvertedArguments =
  | { readonly value: Record<string, CedarValueJson> }
  /** Names the argument and the expected type, never the value. */
  | { readonly problem: string };

/**
 * JSON arguments as a Cedar record: exactly the arguments that the schema declares, each as its declared type. What
 * is not declared is left out, because no policy can look at it. A declared argument of another type, or a number
 * that Cedar cannot hold exactly, is a problem and not a guess: a policy that compares it could otherwise silently
 * not apply. `null` counts as absent. Never throws.
 */
export const convertArguments = (given: unknown, types: ArgumentTypes): ConvertedArguments => {
  if (given === undefined || given === null) return { value: {} };
  try {
    return { value: recordOf(given, types, "arguments") };
  } catch (error) {
    if (error instanceof Mismatch) return { problem: error.message };
    throw error;
  }
};

class Mismatch extends Error {
  constructor(path: string, expected: string) {
    super(`${path} must be ${expected}`);
  }
}

const recordOf = (given: unknown, types: ArgumentTypes, path: string): Record<string, CedarValueJson> => {
  if (typeof given !== "object" || given === null || Array.isArray(given))
    throw new Mismatch(path, "an object");
  const entries: [string, CedarValueJson][] = [];
  for (const [name, type] of types) {
    const value: unknown = Object.getOwnPropertyDescriptor(given, name)?.value;
    if (value !== undefined && value !== null) entries.push([name, valueOf(value, type, `${path}.${name}`)]);
  }
  return Object.fromEntries(entries);
};

const valueOf = (given: unknown, type: ArgumentType, path: string): CedarValueJson => {
  switch (type.kind) {
    case "Bool":
      if (typeof given === "boolean") return given;
      throw new Mismatch(path, "true or false");
    case "Long":
      if (typeof given === "number" && Number.isSafeInteger(given)) return given;
      throw new Mismatch(path, "an integer of at most 2^53 - 1");
    case "String":
      if (typeof given === "string" && given.length <= stringLengthMax) return given;
      throw new Mismatch(path, `a string of at most ${stringLengthMax} characters`);
    case "decimal":
      return { __extn: { fn: "decimal", arg: decimalOf(given, path) } };
    case "datetime":
    case "duration":
      if (typeof given === "string" && given.length <= 64) return { __extn: { fn: type.kind, arg: given } };
      throw new Mismatch(path, `a ${type.kind} as Cedar writes it`);
    case "ipaddr":
      if (typeof given === "string" && given.length <= 64) return { __extn: { fn: "ip", arg: given } };
      throw new Mismatch(path, "an IP address");
    case "Set":
      if (Array.isArray(given) && given.length <= setElementsMax)
        return given.map((element) => valueOf(element, type.element, `${path} element`));
      throw new Mismatch(path, `an array of at most ${setElementsMax} elements`);
    case "Record":
      return recordOf(given, type.attributes, path);
  }
};

/** Cedar decimals have one to four digits after the point; only numbers that fit exactly are taken. */
const decimalOf = (given: unknown, path: string): string => {
  if (typeof given === "number" && Math.abs(given) <= 922_337_203_685_477) {
    const fixed = given.toFixed(4);
    if (Number(fixed) === given) return fixed;
  }
  throw new Mismatch(path, "a number with at most four decimal places");
};
