import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OutsideTree } from "./errors.js";
import { Frontier, type FrontierState, type TreeNode } from "./frontier.js";
import { emptyRoot, leafHash, nodeHash } from "./hashes.js";
import { consistencyProof, inclusionProof } from "./proofs.js";
import { verifyConsistency, verifyInclusion } from "./verify-proofs.js";

const leafOfIndex = (index: number): Uint8Array => leafHash(Buffer.from(`record ${index}`));

/** The definition of RFC 6962 §2.1 as it stands there, to compare the incremental tree with. */
function treeHash(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return emptyRoot();
  if (leaves.length === 1) return leaves[0]!;
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return nodeHash(treeHash(leaves.slice(0, k)), treeHash(leaves.slice(k)));
}

function grow(size: number) {
  const nodes = new Map<string, Uint8Array>();
  const roots: Uint8Array[] = [Frontier.empty().root()];
  let frontier = Frontier.empty();
  for (let index = 0; index < size; index += 1) {
    const step = frontier.append(leafOfIndex(index));
    frontier = step.frontier;
    roots.push(frontier.root());
    for (const node of step.nodes) nodes.set(`${node.level}/${node.index}`, node.hash);
  }
  const getNode = (level: number, index: number): Uint8Array => {
    const hash = nodes.get(`${level}/${index}`);
    if (hash === undefined) throw new Error(`node ${level}/${index} was asked for and never completed`);
    return hash;
  };
  return { frontier, roots, getNode };
}

const sizeMax = 200;
const tree = grow(sizeMax);

const inclusionCase = fc
  .integer({ min: 1, max: sizeMax })
  .chain((size) => fc.record({ size: fc.constant(size), index: fc.integer({ min: 0, max: size - 1 }) }));
const consistencyCase = fc
  .integer({ min: 1, max: sizeMax })
  .chain((second) => fc.record({ second: fc.constant(second), first: fc.integer({ min: 1, max: second }) }));

const flipped = (hash: Uint8Array, bit: number): Uint8Array =>
  hash.map((byte, index) => (index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
const bitOfHash = fc.integer({ min: 0, max: 255 });

describe("a forged proof of inclusion", () => {
  it("is refused with any bit of it flipped, a hash taken out, put in or moved", async () => {
    await fc.assert(
      fc.asyncProperty(inclusionCase, bitOfHash, fc.nat(), async ({ index, size }, bit, at) => {
        const proof = await inclusionProof(index, size, tree.getNode);
        const claim = { index, size, leafHash: leafOfIndex(index), proof, root: tree.roots[size]! };
        const place = proof.length === 0 ? 0 : at % proof.length;
        const forgedProofs = [
          [...proof, claim.root],
          [claim.root, ...proof],
          ...(proof.length > 0
            ? [
                proof.with(place, flipped(proof[place]!, bit)),
                proof.with(place, proof[place]!.slice(1)),
                proof.toSpliced(place, 1),
              ]
            : []),
          ...(proof.length > 1 ? [proof.toReversed()] : []),
        ];
        const forged = [
          { ...claim, root: flipped(claim.root, bit) },
          { ...claim, leafHash: flipped(claim.leafHash, bit) },
          { ...claim, index: index + 1 },
          { ...claim, index: index - 1 },
          ...forgedProofs.map((proof) => ({ ...claim, proof })),
        ];
        expect(forged.filter(verifyInclusion)).toEqual([]);
      }),
    );
  });

  it.each([-1, 0.5, Number.NaN, 2 ** 60, 3])("is refused for leaf %s of three", (index) => {
    const claim = { size: 3, leafHash: leafOfIndex(0), proof: [], root: tree.roots[3]! };
    expect(verifyInclusion({ ...claim, index })).toBe(false);
  });

  it("is not made for a leaf outside the tree", async () => {
    await expect(inclusionProof(3, 3, tree.getNode)).rejects.toThrow(OutsideTree);
    await expect(inclusionProof(-1, 3, tree.getNode)).rejects.toThrow(OutsideTree);
  });
});

describe("a forged proof of consistency", () => {
  it("is refused with any bit of it flipped, a hash taken out or put in, or the roots exchanged", async () => {
    await fc.assert(
      fc.asyncProperty(consistencyCase, bitOfHash, fc.nat(), async ({ first, second }, bit, at) => {
        const proof = await consistencyProof(first, second, tree.getNode);
        const [firstRoot, secondRoot] = [tree.roots[first]!, tree.roots[second]!];
        const claim = { first, second, firstRoot, secondRoot, proof };
        const place = proof.length === 0 ? 0 : at % proof.length;
        const forged = [
          { ...claim, firstRoot: flipped(firstRoot, bit) },
          { ...claim, secondRoot: flipped(secondRoot, bit) },
          { ...claim, proof: [...proof, firstRoot] },
          { ...claim, proof: [firstRoot, ...proof] },
          ...(proof.length > 0
            ? [
                { ...claim, proof: proof.with(place, flipped(proof[place]!, bit)) },
                { ...claim, proof: proof.toSpliced(place, 1) },
                { ...claim, firstRoot: secondRoot, secondRoot: firstRoot },
              ]
            : []),
        ];
        expect(forged.filter(verifyConsistency)).toEqual([]);
      }),
    );
  });

  it("is not made from an empty tree, nor backwards", async () => {
    await expect(consistencyProof(0, 3, tree.getNode)).rejects.toThrow(OutsideTree);
    await expect(consistencyProof(3, 2, tree.getNode)).rejects.toThrow(OutsideTree);
  });
});

describe("the tree", () => {
  it("has the root that RFC 6962 §2.1 defines, at every size", () => {
    const leaves = Array.from({ length: 70 }, (_, index) => leafOfIndex(index));
    for (let size = 0; size <= leaves.length; size += 1) {
      expect(tree.roots[size]).toEqual(treeHash(leaves.slice(0, size)));
    }
  });

  it("proves every leaf at every size", async () => {
    await fc.assert(
      fc.asyncProperty(inclusionCase, async ({ index, size }) => {
        const proof = await inclusionProof(index, size, tree.getNode);
        const claim = { index, size, leafHash: leafOfIndex(index), proof, root: tree.roots[size]! };
        expect(verifyInclusion(claim)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it("proves that every size is the beginning of every later one", async () => {
    await fc.assert(
      fc.asyncProperty(consistencyCase, async ({ first, second }) => {
        const proof = await consistencyProof(first, second, tree.getNode);
        const [firstRoot, secondRoot] = [tree.roots[first]!, tree.roots[second]!];
        expect(verifyConsistency({ first, second, firstRoot, secondRoot, proof })).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it("reads a few nodes for a proof in a tree of 2^49 + 1 leaves", async () => {
    const asked: string[] = [];
    const getNode = (level: number, index: number): Uint8Array => {
      asked.push(`${level}/${index}`);
      return leafOfIndex(index);
    };
    await inclusionProof(0, 2 ** 49 + 1, getNode);
    expect(asked).toHaveLength(50);
    expect(asked).toContain(`0/${2 ** 49}`);
  });
});

describe("the frontier", () => {
  it("goes on as if it had never been stored", () => {
    const stored: FrontierState = JSON.parse(JSON.stringify(grow(37).frontier));
    const { frontier, nodes } = Frontier.from(stored).append(leafOfIndex(37));
    expect(frontier.root()).toEqual(tree.roots[38]);
    expect(nodes.map(({ level, index }: TreeNode) => [level, index])).toEqual([
      [0, 37],
      [1, 18],
    ]);
  });

  it("is left as it was by an append, so that a failed transaction costs nothing", () => {
    const before = grow(7).frontier;
    before.append(leafOfIndex(7));
    expect(before.size).toBe(7);
    expect(before.root()).toEqual(tree.roots[7]);
  });

  it.each([
    ["too few hashes", { size: 3, hashes: ["00".repeat(32)] }],
    ["too many hashes", { size: 2, hashes: ["00".repeat(32), "00".repeat(32)] }],
    ["a short hash", { size: 1, hashes: ["00".repeat(31)] }],
    ["text that is not a hash", { size: 1, hashes: ["zz".repeat(32)] }],
    ["a size that is no size", { size: -1, hashes: [] }],
  ])("is refused with %s", (_, state) => {
    expect(() => Frontier.from(state)).toThrow(OutsideTree);
  });

  it("takes hashes of leaves only", () => {
    expect(() => Frontier.empty().append(Buffer.from("a leaf"))).toThrow(OutsideTree);
  });
});
