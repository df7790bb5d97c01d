import { createHash, generateKeyPairSync, type KeyObject } from "node:crypto";
import type { EventMessage } from "@countersign/contracts";
import {
  Frontier,
  inclusionProof,
  leafHash,
  leafOf,
  signCheckpoint,
  verifierKeyOf,
  writeBundle,
} from "@countersign/evidence";

const origin = "example.com/countersign";
const { privateKey } = generateKeyPairSync("ed25519");
export const verifierKey = verifierKeyOf(privateKey, origin);
export const otherVerifierKey = verifierKeyOf(generateKeyPairSync("ed25519").privateKey, origin);

const event = (n: number): EventMessage => {
  const text = `{"call":${n}}`;
  const sha256 = createHash("sha256").update(text).digest("hex");
  return {
    id: `0190aaaa-0000-7000-8000-00000000000${n}`,
    type: "CallCompleted",
    source: "proxy",
    subject: "0190aaaa-0000-7000-8000-000000000009",
    time: "2026-07-01T10:00:00.000Z",
    data: { response: { text, sha256, bytes: text.length, contentType: "application/json", findings: [] } },
  };
};

/** A bundle of a log with three records, as the audit service exports it. */
export async function exportBundle(key: KeyObject = privateKey): Promise<string> {
  const nodes = new Map<string, Uint8Array>();
  let frontier = Frontier.empty();
  const events = [0, 1, 2].map(event);
  for (const event of events) {
    const step = frontier.append(leafHash(leafOf(event)));
    frontier = step.frontier;
    for (const node of step.nodes) nodes.set(`${node.level}/${node.index}`, node.hash);
  }
  const { size } = frontier;
  const getNode = (level: number, index: number) => nodes.get(`${level}/${index}`)!;
  const records = await Promise.all(
    events.map(async (event, index) => ({ index, event, proof: await inclusionProof(index, size, getNode) })),
  );
  const checkpoint = signCheckpoint({ origin, size, root: frontier.root(), privateKey: key });
  const source = {
    checkpoint,
    privateKey: key,
    keyName: origin,
    exportedAt: "2026-07-01T12:00:00.000Z",
    query: { principal: "corp:alice\u001b[2J" },
  };
  let bundle = "";
  for await (const line of writeBundle(source, records)) bundle += line;
  return bundle;
}
