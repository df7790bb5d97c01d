import { CountersignError } from "@countersign/contracts";

export type JsonRefusal = "malformed_json" | "duplicate_key" | "too_deep" | "trailing_data";

const ADVICE: Record<JsonRefusal, string> = {
  malformed_json: "Send strict JSON (RFC 8259).",
  duplicate_key: "Name each key of an object once: readers disagree on which of two values counts.",
  too_deep: "Nest objects and arrays less deeply.",
  trailing_data: "Send one JSON value and nothing after it.",
};

/** JSON that must not be passed on. `offset` counts UTF-16 code units; the content is never quoted. */
export class JsonRefused extends CountersignError {
  declare readonly code: JsonRefusal;
  readonly offset: number;

  constructor(code: JsonRefusal, offset: number) {
    super(code, `JSON refused at offset ${offset} (${code}). ${ADVICE[code]}`);
    this.offset = offset;
  }
}

/** Why and where reading stopped. */
export interface Stop {
  code: JsonRefusal;
  offset: number;
}

/** Thrown to leave the reader, which nobody outside sees; an error of its own each time costs more than the reading. */
class Stopped extends Error implements Stop {
  code: JsonRefusal = "malformed_json";
  offset = 0;
}
const stopped = new Stopped();

export function stop(code: JsonRefusal, offset: number): never {
  stopped.code = code;
  stopped.offset = offset;
  throw stopped;
}

export const READ_AGAIN = "read again";
const again = new Error(READ_AGAIN);

/** Leaves the reader because what was read before has to be read with what is known now. */
export function readAgain(): never {
  throw again;
}

/** What `stop` said while the function ran, or that it asked to be run again; nothing where it came to its end. */
export function whereStopped(run: () => void): Stop | typeof READ_AGAIN | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error === again) return READ_AGAIN;
    if (error === stopped) return { code: stopped.code, offset: stopped.offset };
    throw error;
  }
}
