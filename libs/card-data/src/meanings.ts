import type { Candidate } from "./collector.js";
import type { JsonFrame } from "./json-reader.js";
import { decodeJsonString } from "./json-string.js";
import { KEY } from "./keys.js";
import type { Settings } from "./settings.js";

/** How many ancestors' names may speak of cards for a value. */
const CONTEXT_ANCESTORS_MAX = 3;

/** What the names around a value say of it. */
export class Meanings {
  private readonly cards = new Map<JsonFrame, boolean>();

  constructor(
    private readonly text: string,
    private readonly outside: number,
    private readonly settings: Settings,
  ) {}

  of({ frame, key }: Candidate): number {
    const { classify } = this.settings;
    let holder = frame;
    let name = key;
    while (holder?.array) {
      name = holder.key;
      holder = holder.parent;
    }
    // A bare value, or a list of them, means what the string that carries the JSON means.
    if (!holder) return this.outside;
    let meaning = classify(name) | (this.outside & KEY.context);
    if ((meaning & KEY.wrapper) !== 0) {
      meaning |= classify(this.nameOf(holder)) & ~KEY.wrapper;
      if (holder.labelStart >= 0 && !isLabel(name)) {
        meaning |= classify(decodeJsonString(this.text, holder.labelStart, holder.labelEnd)) & ~KEY.wrapper;
      }
    }
    if ((meaning & KEY.context) === 0 && this.speaksOfCards(holder)) meaning |= KEY.context;
    return meaning;
  }

  /** The name that an object goes by: its own key, or that of the list it stands in. */
  private nameOf(frame: JsonFrame): string {
    let holder: JsonFrame | undefined = frame;
    while (holder?.parent?.array) holder = holder.parent;
    return holder?.key ?? "";
  }

  private speaksOfCards(frame: JsonFrame): boolean {
    const known = this.cards.get(frame);
    if (known !== undefined) return known;
    const { classify } = this.settings;
    let speaks = frame.keys.some((key) => (classify(key) & KEY.context) !== 0);
    let ancestor: JsonFrame | undefined = frame;
    for (let i = 0; i < CONTEXT_ANCESTORS_MAX && ancestor && !speaks; i++) {
      speaks = (classify(ancestor.key) & KEY.context) !== 0;
      ancestor = ancestor.parent;
    }
    this.cards.set(frame, speaks);
    return speaks;
  }
}

/** Whether a field of this name holds the name of what its sibling holds. */
export function isLabel(key: string): boolean {
  switch (key) {
    case "name":
    case "key":
    case "field":
    case "label":
    case "id":
    case "param":
    case "fieldName":
    case "parameter":
      return true;
    default:
      return false;
  }
}
