import { OutsideTree } from "./errors.js";
import { bytesEqual, emptyRoot, hashBytes, nodeHash } from "./hashes.js";

/**
 * The root of a complete subtree of the log: of the 2^level leaves from index × 2^level on. Level 0 are leaf hashes.
 * Once complete it never changes, so it can be stored where nothing may be updated.
 */
export interface TreeNode {
  readonly level: number;
  readonly index: number;
  readonly hash: Uint8Array;
}

/** What a frontier is stored as: hashes in hexadecimal, of the largest complete subtree first. */
export interface FrontierState {
  readonly size: number;
  readonly hashes: readonly string[];
}

/**
 * The right edge of an RFC 6962 Merkle tree: all that is needed to append to it and to know its root. Immutable, so
 * that a transaction that fails leaves the frontier it began with.
 */
export class Frontier {
  readonly size: number;
  /** Roots of the complete subtrees, one for each bit that is set in `size`, the largest first. */
  private readonly hashes: readonly Uint8Array[];

  private constructor(size: number, hashes: readonly Uint8Array[]) {
    this.size = size;
    this.hashes = hashes;
  }

  static empty(): Frontier {
    return new Frontier(0, []);
  }

  /** Throws `OutsideTree` where `state` cannot be the edge of a tree of that size. */
  static from(state: FrontierState): Frontier {
    const hashes = state.hashes.map((hash) => Uint8Array.from(Buffer.from(hash, "hex")));
    const wellFormed =
      Number.isSafeInteger(state.size) &&
      state.size >= 0 &&
      hashes.length === bitsSet(state.size) &&
      state.hashes.every((hash) => hash.length === hashBytes * 2) &&
      hashes.every((hash) => hash.byteLength === hashBytes);
    if (!wellFormed) {
      throw new OutsideTree(
        "The stored frontier does not fit its size. Rebuild it from the leaf hashes of the log before appending.",
      );
    }
    return new Frontier(state.size, hashes);
  }

  /** The tree with one more leaf, and the subtrees that this leaf completed, itself first. */
  append(leafHash: Uint8Array): { readonly frontier: Frontier; readonly nodes: readonly TreeNode[] } {
    if (leafHash.byteLength !== hashBytes)
      throw new OutsideTree("A leaf hash has 32 bytes. Append leafHash(leaf).");
    const hashes = [...this.hashes];
    const nodes: TreeNode[] = [{ level: 0, index: this.size, hash: leafHash }];
    let hash = leafHash;
    let [level, index] = [0, this.size];
    while (index % 2 === 1) {
      const left = hashes.pop();
      if (left === undefined) throw new OutsideTree("The frontier is shorter than its size. Rebuild it.");
      hash = nodeHash(left, hash);
      level += 1;
      index = (index - 1) / 2;
      nodes.push({ level, index, hash });
    }
    return { frontier: new Frontier(this.size + 1, [...hashes, hash]), nodes };
  }

  root(): Uint8Array {
    const last = this.hashes.at(-1);
    if (last === undefined) return emptyRoot();
    return this.hashes.slice(0, -1).reduceRight((right, left) => nodeHash(left, right), last);
  }

  rootHex(): string {
    return Buffer.from(this.root()).toString("hex");
  }

  equals(other: Frontier): boolean {
    return this.size === other.size && bytesEqual(this.root(), other.root());
  }

  toJSON(): FrontierState {
    return { size: this.size, hashes: this.hashes.map((hash) => Buffer.from(hash).toString("hex")) };
  }
}

function bitsSet(size: number): number {
  let count = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) count += rest % 2;
  return count;
}
