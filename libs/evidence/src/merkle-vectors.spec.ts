import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { verifyConsistency, verifyInclusion } from "./verify-proofs.js";

/**
 * The vectors of github.com/transparency-dev/merkle (Apache-2.0) are not kept here; point MERKLE_VECTORS to them, or
 * put them beside the checkout.
 */
const folder =
  process.env["MERKLE_VECTORS"] ?? path.resolve(import.meta.dirname, "../../../../shared/vectors/merkle");

interface Vector {
  readonly desc: string;
  readonly wantErr: boolean;
  readonly proof: readonly string[] | null;
}
interface InclusionVector extends Vector {
  readonly leafIdx: number;
  readonly treeSize: number;
  readonly root: string;
  readonly leafHash: string;
}
interface ConsistencyVector extends Vector {
  readonly size1: number;
  readonly size2: number;
  readonly root1: string;
  readonly root2: string;
}

function vectorsIn<V extends Vector>(kind: "inclusion" | "consistency"): [string, V][] {
  const root = path.join(folder, kind);
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".json"))
    .toSorted()
    .map((file) => {
      const vector: V = JSON.parse(readFileSync(path.join(root, file), "utf8"));
      return [file, vector];
    });
}

const bytes = (base64: string): Uint8Array => Buffer.from(base64, "base64");

describe.runIf(existsSync(folder))("the vectors of transparency-dev/merkle", () => {
  const vectors = existsSync(folder)
    ? {
        inclusion: vectorsIn<InclusionVector>("inclusion"),
        consistency: vectorsIn<ConsistencyVector>("consistency"),
      }
    : { inclusion: [], consistency: [] };

  it("hold both proofs to accept and proofs to refuse", () => {
    for (const kind of [vectors.inclusion, vectors.consistency]) {
      expect(new Set(kind.map(([, vector]) => vector.wantErr))).toEqual(new Set([true, false]));
    }
  });

  it.each(vectors.inclusion)("inclusion %s", (_, vector) => {
    const accepted = verifyInclusion({
      index: vector.leafIdx,
      size: vector.treeSize,
      leafHash: bytes(vector.leafHash),
      proof: (vector.proof ?? []).map(bytes),
      root: bytes(vector.root),
    });
    expect(accepted).toBe(!vector.wantErr);
  });

  it.each(vectors.consistency)("consistency %s", (_, vector) => {
    const accepted = verifyConsistency({
      first: vector.size1,
      second: vector.size2,
      firstRoot: bytes(vector.root1),
      secondRoot: bytes(vector.root2),
      proof: (vector.proof ?? []).map(bytes),
    });
    expect(accepted).toBe(!vector.wantErr);
  });
});

describe.skipIf(existsSync(folder))("the vectors of transparency-dev/merkle", () => {
  it("are absent: set MERKLE_VECTORS to the folder of transparency-dev/merkle/testdata", (context) => {
    context.skip(`no vectors at ${folder}`);
    expect.unreachable();
  });
});
