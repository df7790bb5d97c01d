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
