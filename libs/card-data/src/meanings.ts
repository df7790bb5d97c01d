import type { Candidate } from "./candidate.js";
import type { JsonFrame, KeyNode } from "./json-frame.js";
import { decodeJsonString } from "./json-string.js";
import { KEY } from "./keys.js";
import type { Settings } from "./settings.js";

/** How many ancestors' names may speak of cards for a value. */
const CONTEXT_ANCESTORS_MAX = 3;

/** What the names around a value say of it. */
export class Meanings {
  constructor(
    private readonly text: string,
    private readonly outside: number,
    private readonly settings: Settings,
  ) {}

  of({ frame, key }: Candidate): number {
    let holder = frame;
    let node = key;
    while (holder?.array) {
      node = holder.key;
      holder = holder.parent;
    }
    // A bare value, or a list of them, means what the string that carries the JSON means.
    if (!holder) return this.outside;
    let meaning = this.ofKey(node) | (this.outside & KEY.context);
    if ((meaning & KEY.wrapper) !== 0) {
      meaning |= this.ofKey(nameOf(holder)) & ~KEY.wrapper;
      if (holder.labelStart >= 0 && !node?.label) {
        const label = decodeJsonString(this.text, holder.labelStart, holder.labelEnd);
        meaning |= this.settings.classify(label) & ~KEY.wrapper;
      }
    }
    if ((meaning & KEY.context) === 0 && this.speaksOfCards(holder)) meaning |= KEY.context;
    return meaning;
  }

  private ofKey(key: KeyNode | undefined): number {
    if (!key) return 0;
    if (key.meaning < 0) key.meaning = this.settings.classify(key.name);
    return key.meaning;
  }

  private speaksOfCards(frame: JsonFrame): boolean {
    if ((this.ofKeys(frame.last) & KEY.context) !== 0) return true;
    let ancestor: JsonFrame | undefined = frame;
    for (let i = 0; i < CONTEXT_ANCESTORS_MAX && ancestor; i++) {
      if ((this.ofKey(ancestor.key) & KEY.context) !== 0) return true;
      ancestor = ancestor.parent;
    }
    return false;
  }

  /** What the keys of an object say, the last one given. */
  private ofKeys(last: KeyNode): number {
    const unknown: KeyNode[] = [];
    let node: KeyNode | undefined = last;
    for (; node?.before && node.meanings < 0; node = node.before) unknown.push(node);
    let meanings = node?.before ? node.meanings : 0;
    for (const next of unknown.toReversed()) meanings = next.meanings = meanings | this.ofKey(next);
    return meanings;
  }
}

/** The name that an object goes by: its own key, or that of the list it stands in. */
function nameOf(frame: JsonFrame): KeyNode | undefined {
  let holder: JsonFrame | undefined = frame;
  while (holder?.parent?.array) holder = holder.parent;
  return holder?.key;
}
