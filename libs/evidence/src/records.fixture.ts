import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import type { EventMessage } from "@countersign/contracts";
import { sha256Hex } from "./hashes.js";

/** A fixed Ed25519 key, so that notes and bundles in tests are the same every time. */
export const testKey = createPrivateKey({
  key: {
    kty: "OKP",
    crv: "Ed25519",
    d: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
    x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
  },
  format: "jwk",
});

export const otherKey = generateKeyPairSync("ed25519").privateKey;

export const uuid = (n: number): string => `0190aaaa-0000-7000-8000-${n.toString(16).padStart(12, "0")}`;

export const payloadOf = (text: string) => ({
  text,
  sha256: sha256Hex(text),
  bytes: Buffer.byteLength(text),
  contentType: "application/json",
  findings: [],
});

export const record = (n: number, type: string, data: unknown): EventMessage => ({
  id: uuid(n),
  type,
  source: "proxy",
  subject: uuid(900),
  time: "2026-07-01T10:00:00.000Z",
  data,
});

export const intended = (n: number, text: string): EventMessage =>
  record(n, "CallIntended", {
    recorder: { id: "proxy-1", epoch: uuid(800), seq: n, prevHash: "0".repeat(64) },
    callId: uuid(700 + n),
    method: "tools/call",
    target: "find_payment",
    request: payloadOf(text),
    decision: { effect: "allow", policies: ["readers"], bundleVersion: "1" },
  });
