import type { EventMessage } from "@countersign/contracts";
import { signCheckpoint } from "./checkpoint.js";
import { verifierKeyOf } from "./checkpoint-key.js";
import { Frontier } from "./frontier.js";
import { leafHash, sha256Hex } from "./hashes.js";
import { leafOf } from "./leaf.js";
import { inclusionProof } from "./proofs.js";
import { intended, payloadOf, record, testKey } from "./records.fixture.js";
import type { BundleReport } from "./verify-bundle.js";
import { type BundleExport, type BundleRecord, writeBundle } from "./write-bundle.js";

export const origin = "example.com/countersign";
export const verifierKey = verifierKeyOf(testKey, origin);

/** A log of these events, exported whole: what `writeBundle` takes. */
export async function logOf(events: readonly EventMessage[], privateKey = testKey) {
  const nodes = new Map<string, Uint8Array>();
  let frontier = Frontier.empty();
  for (const event of events) {
    const step = frontier.append(leafHash(leafOf(event)));
    frontier = step.frontier;
    for (const node of step.nodes) nodes.set(`${node.level}/${node.index}`, node.hash);
  }
  const { size } = frontier;
  const checkpoint = signCheckpoint({ origin, size, root: frontier.root(), privateKey });
  const getNode = (level: number, index: number) => nodes.get(`${level}/${index}`)!;
  const records = await Promise.all(
    events.map(async (event, index) => ({ index, event, proof: await inclusionProof(index, size, getNode) })),
  );
  const source: BundleExport = {
    checkpoint,
    privateKey,
    keyName: origin,
    exportedAt: "2026-07-01T12:00:00.000Z",
    query: { principal: "corp:alice" },
  };
  return { source, records };
}

/** The lines of a bundle without their line feeds, as `bundleLines` gives them. */
export async function written(source: BundleExport, records: readonly BundleRecord[]): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of writeBundle(source, records)) lines.push(line.slice(0, -1));
  return lines;
}

export const codesOf = (report: BundleReport): string[] => report.problems.map(({ code }) => code);

/** One record of each shape that its leaf treats in its own way. */
export const events = [
  intended(0, '{"café":"€"}'),
  { ...record(1, "CallCompleted", { response: payloadOf("answer"), outcome: "result" }), cause: "c" },
  record(2, "OriginalSealed", { originalId: "o", sealed: "jwe", sha256: sha256Hex("jwe") }),
  record(3, "SessionKeyWrapped", { keyId: "k", wrapped: "jwe" }),
  intended(4, "last"),
];
