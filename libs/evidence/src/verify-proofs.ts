import { bytesEqual, hashBytes, nodeHash } from "./hashes.js";

/** The longest proof of a tree whose size is a safe integer, with room. */
const proofHashesMax = 64;

export interface InclusionClaim {
  readonly index: number;
  readonly size: number;
  readonly leafHash: Uint8Array;
  readonly proof: readonly Uint8Array[];
  readonly root: Uint8Array;
}

/** RFC 9162 §2.1.3.2: whether the tree of `size` leaves with `root` has `leafHash` at `index`. Never throws. */
export function verifyInclusion({ index, size, leafHash, proof, root }: InclusionClaim): boolean {
  if (!isSize(index) || !isSize(size) || index >= size) return false;
  if (leafHash.byteLength !== hashBytes || !isProof(proof)) return false;
  let [node, last] = [index, size - 1];
  let hash = leafHash;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (isOdd(node) || node === last) {
      hash = nodeHash(sibling, hash);
      [node, last] = skipRightEdge(node, last);
    } else {
      hash = nodeHash(hash, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && bytesEqual(hash, root);
}

export interface ConsistencyClaim {
  readonly first: number;
  readonly second: number;
  readonly firstRoot: Uint8Array;
  readonly secondRoot: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/**
 * RFC 9162 §2.1.4.2: whether the tree of `second` leaves begins with the tree of `first` leaves. An empty first tree
 * is refused, since anything is consistent with it. Never throws.
 */
export function verifyConsistency(claim: ConsistencyClaim): boolean {
  const { first, second, firstRoot, secondRoot, proof } = claim;
  if (!isSize(first) || !isSize(second) || first < 1 || first > second || !isProof(proof)) return false;
  if (first === second) return proof.length === 0 && bytesEqual(firstRoot, secondRoot);

  const path = proof.length > 0 && isPowerOfTwo(first) ? [firstRoot, ...proof] : proof;
  const [start, ...siblings] = path;
  if (start === undefined) return false;

  let [node, last] = [first - 1, second - 1];
  while (isOdd(node)) [node, last] = [half(node), half(last)];
  let [firstHash, secondHash] = [start, start];
  for (const sibling of siblings) {
    if (last === 0) return false;
    if (isOdd(node) || node === last) {
      firstHash = nodeHash(sibling, firstHash);
      secondHash = nodeHash(sibling, secondHash);
      [node, last] = skipRightEdge(node, last);
    } else {
      secondHash = nodeHash(secondHash, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && bytesEqual(firstHash, firstRoot) && bytesEqual(secondHash, secondRoot);
}

const isSize = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
const isProof = (proof: readonly Uint8Array[]): boolean =>
  proof.length <= proofHashesMax && proof.every((hash) => hash.byteLength === hashBytes);
const isOdd = (value: number): boolean => value % 2 === 1;
const half = (value: number): number => Math.floor(value / 2);

function isPowerOfTwo(value: number): boolean {
  let rest = value;
  while (rest > 1 && !isOdd(rest)) rest = half(rest);
  return rest === 1;
}

/** A node without a right sibling is carried up unchanged until it is a right child itself. */
function skipRightEdge(node: number, last: number): readonly [number, number] {
  let [up, upLast] = [node, last];
  while (!isOdd(up) && up !== 0) [up, upLast] = [half(up), half(upLast)];
  return [up, upLast];
}
