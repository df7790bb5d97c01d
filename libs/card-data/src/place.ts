import type { Found } from "./rewrite.js";
import type { Settings } from "./settings.js";

/** What surrounds a value: the meanings of its key (see KEY), and how many carriers it was unwrapped from. */
export interface Place {
  meaning: number;
  depth: number;
}

/** The search of one string, whatever it carries. */
export type ScanString = (value: string, place: Place, settings: Settings) => Found;
