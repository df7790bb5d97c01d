import type { JsonFrame, KeyNode } from "./json-frame.js";

/** A token that may hold card data: a string, a number or an object's key, with its offsets in the text. */
export interface Candidate {
  what: "string" | "number" | "key";
  frame: JsonFrame | undefined;
  key: KeyNode | undefined;
  index: number;
  start: number;
  end: number;
  suspicion: Suspicion;
}

/**
 * `any`: it must be searched. `name`: only if the names around it call it a card or a code. `context`: also if they
 * speak of cards. `binary`: it is a picture or another file, and, unless the names say otherwise, nothing else.
 */
export type Suspicion = "any" | "name" | "context" | "binary";

/** A string that begins or ends with a digit, in a list or a list's object, or digits that are a member of an object. */
export interface Neighbour {
  token: Candidate;
  list: JsonFrame;
  position: number;
  /** Whether the order says how what is split belongs together; that of an object's members does not. */
  ordered: boolean;
}
