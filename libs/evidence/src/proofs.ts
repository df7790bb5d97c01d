import { OutsideTree } from "./errors.js";
import { nodeHash } from "./hashes.js";

/** Reads the root of the complete subtree of the 2^level leaves from index × 2^level on, as `Frontier` told it. */
export type GetNode = (level: number, index: number) => Promise<Uint8Array> | Uint8Array;

/**
 * RFC 6962 §2.1.1: the hashes that lead from leaf `index` to the root of the tree of the first `size` leaves. Reads
 * O(log size) nodes, all at once. Throws `OutsideTree`.
 */
export async function inclusionProof(index: number, size: number, getNode: GetNode): Promise<Uint8Array[]> {
  if (!isSize(size) || !isSize(index) || index >= size) {
    throw new OutsideTree(`A tree of ${size} has no leaf ${index}. Ask for an index below the size.`);
  }
  return hashesOf(inclusionRanges(index, { from: 0, to: size }), getNode);
}

/**
 * RFC 6962 §2.1.2: the hashes that show that the tree of the first `second` leaves begins with the tree of the first
 * `first`. Throws `OutsideTree`; an empty first tree is refused, since anything is consistent with it.
 */
export async function consistencyProof(
  first: number,
  second: number,
  getNode: GetNode,
): Promise<Uint8Array[]> {
  if (!isSize(first) || !isSize(second) || first < 1 || first > second) {
    throw new OutsideTree(
      `There is no consistency proof from ${first} to ${second}. Ask for sizes from 1 on, the smaller first.`,
    );
  }
  return hashesOf(consistencyRanges(first, { from: 0, to: second }, true), getNode);
}

/** The leaves from `from` on, before `to`. */
interface Range {
  readonly from: number;
  readonly to: number;
}

const isSize = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

const width = (range: Range): number => range.to - range.from;

function halves(range: Range): readonly [Range, Range] {
  let left = 1;
  while (left * 2 < width(range)) left *= 2;
  const middle = range.from + left;
  return [
    { from: range.from, to: middle },
    { from: middle, to: range.to },
  ];
}

/** The level of a complete subtree; counted, since Math.log2 rounds large widths to whole numbers. */
function levelOf(completeWidth: number): number {
  let level = 0;
  for (let leaves = completeWidth; leaves > 1; leaves /= 2) level += 1;
  return level;
}

function inclusionRanges(index: number, range: Range): Range[] {
  if (width(range) === 1) return [];
  const [left, right] = halves(range);
  return index < left.to
    ? [...inclusionRanges(index, left), right]
    : [...inclusionRanges(index, right), left];
}

/** `known` while the verifier has the hash of `range` as the first root and need not be given it. */
function consistencyRanges(first: number, range: Range, known: boolean): Range[] {
  if (first === range.to) return known ? [] : [range];
  const [left, right] = halves(range);
  return first <= left.to
    ? [...consistencyRanges(first, left, known), right]
    : [...consistencyRanges(first, right, false), left];
}

const hashesOf = (ranges: readonly Range[], getNode: GetNode): Promise<Uint8Array[]> =>
  Promise.all(ranges.map((range) => rootOf(range, getNode)));

/** Only subtrees at the right edge are incomplete; they are put together from complete ones. */
async function rootOf(range: Range, getNode: GetNode): Promise<Uint8Array> {
  const [left, right] = halves(range);
  if (width(left) === width(right) || width(range) === 1) {
    return getNode(levelOf(width(range)), range.from / width(range));
  }
  const [leftRoot, rightRoot] = await Promise.all([rootOf(left, getNode), rootOf(right, getNode)]);
  return nodeHash(leftRoot, rightRoot);
}
