/**
 * A key of an object, after the keys before it. Objects with the same keys in the same order share one chain, so that
 * what was found out of a key once, that it repeats none before it for instance, holds for all of them.
 */
export interface KeyNode {
  /** Nothing for the node that stands before the first key. */
  readonly before: KeyNode | undefined;
  readonly name: string;
  readonly count: number;
  /** Where the key stands in plain ASCII, quotes included; no units where it does not. */
  readonly sampleStart: number;
  readonly sampleUnits: number;
  /** Whether the sink wants to be told of it wherever it comes. */
  noted: boolean;
  /** Left to the sink: what the name says of its value, and those before it too; -1 while nobody has asked. */
  meaning: number;
  meanings: number;
  /** Left to the sink: whether it names a sibling, and whether it holds one of several blocks of text. */
  label: boolean;
  block: boolean;
  /** The key that followed last; `others` are all that ever did, once there are two. */
  next: KeyNode | undefined;
  others: Map<string, KeyNode> | undefined;
}

/** An object or array that is being read, or was. */
export interface JsonFrame {
  readonly parent: JsonFrame | undefined;
  readonly array: boolean;
  /** Where it lies in its parent: at a key, or, in an array, at none and at an index. */
  readonly key: KeyNode | undefined;
  readonly index: number;
  /** The last of an object's keys so far. */
  last: KeyNode;
  /** The commas of an array so far. */
  count: number;
  /** The names of an object's keys, once they are too many to be compared one by one. */
  seen: Set<string> | undefined;
  /** Left to the sink: where the string lies that names what the object holds; -1 where there is none. */
  labelStart: number;
  labelEnd: number;
  /** Left to the sink: whether it passed over something that a name of this object may speak for. */
  passedOver: boolean;
}

/** Past so many keys those of an object are compared through a set. */
const COMPARED_KEYS_MAX = 12;
/** So many keys are remembered; what comes after is read at the price of a new key each. */
const REMEMBERED_KEYS_MAX = 20_000;

/** The keys of one text. */
export class KeyTree {
  readonly root: KeyNode = createNode(undefined, "", 0, 0);
  private remembered = 0;

  constructor(private readonly allowDuplicateKeys: boolean) {}

  open(parent: JsonFrame | undefined, array: boolean, key: KeyNode | undefined, index: number): JsonFrame {
    const last = this.root;
    return {
      parent,
      array,
      key,
      index,
      last,
      count: 0,
      seen: undefined,
      labelStart: -1,
      labelEnd: -1,
      passedOver: false,
    };
  }

  /** The node of the frame's next key; nothing where the object has that key already. */
  add(frame: JsonFrame, name: string, start: number, sampleUnits: number): KeyNode | undefined {
    const { last } = frame;
    let node = last.next?.name === name ? last.next : last.others?.get(name);
    if (!node) {
      if (!this.allowDuplicateKeys && isDuplicate(frame, name)) return undefined;
      node = createNode(last, name, start, sampleUnits);
      if (this.remembered < REMEMBERED_KEYS_MAX) this.remember(last, node);
    } else last.next = node;
    frame.seen?.add(name);
    frame.last = node;
    return node;
  }

  private remember(last: KeyNode, node: KeyNode): void {
    this.remembered++;
    if (last.next) {
      last.others ??= new Map([[last.next.name, last.next]]);
      last.others.set(node.name, node);
    }
    last.next = node;
  }
}

function createNode(before: KeyNode | undefined, name: string, start: number, units: number): KeyNode {
  return {
    before,
    name,
    count: before ? before.count + 1 : 0,
    sampleStart: start,
    sampleUnits: units,
    noted: false,
    meaning: -1,
    meanings: -1,
    label: false,
    block: false,
    next: undefined,
    others: undefined,
  };
}

function isDuplicate(frame: JsonFrame, name: string): boolean {
  if (frame.last.count < COMPARED_KEYS_MAX) {
    for (let node = frame.last; node.before; node = node.before) if (node.name === name) return true;
    return false;
  }
  frame.seen ??= new Set(namesOf(frame));
  return frame.seen.has(name);
}

/** The names of an object's keys so far, the last one first. */
export function namesOf(frame: JsonFrame): string[] {
  const names: string[] = [];
  for (let node = frame.last; node.before; node = node.before) names.push(node.name);
  return names;
}
