import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { signCheckpoint } from "@countersign/evidence";
import { expect, it } from "vitest";
import { CheckpointKey } from "./checkpoint-key.js";
import { auditConfig, logOriginOf } from "./config.js";

const origin = "gateway.example.com/log";
const root = new Uint8Array(32);
const newKey = () => generateKeyPairSync("ed25519").privateKey;
const noteBy = (privateKey: ReturnType<typeof newKey>) =>
  signCheckpoint({ origin, size: 3, root, privateKey });

it("the log is named after the gateway unless it is told its name", () => {
  expect(logOriginOf({ GATEWAY_URL: "https://gateway.example.com", LOG_ORIGIN: undefined })).toBe(origin);
  expect(logOriginOf({ GATEWAY_URL: "https://gateway.example.com", LOG_ORIGIN: "other/log" })).toBe(
    "other/log",
  );
  expect(auditConfig.shape.LOG_ORIGIN.safeParse("two words").success).toBe(false);
});

it("a note of another key opens only once that key is named as an earlier one", () => {
  const [old, current] = [newKey(), newKey()];
  const past = new CheckpointKey(old, origin);
  expect(new CheckpointKey(current, origin).open(noteBy(old))).toBeUndefined();
  expect(new CheckpointKey(current, origin, [past.verifierKey]).open(noteBy(old))).toMatchObject({ size: 3 });
  expect(new CheckpointKey(current, origin, ["not a key"]).open(noteBy(old))).toBeUndefined();
});

it("a note that was changed does not open", () => {
  const key = newKey();
  expect(new CheckpointKey(key, origin).open(noteBy(key).replace("\n3\n", "\n4\n"))).toBeUndefined();
});

it("a key file that is missing, or holds another kind of key, says how to make one", () => {
  const folder = mkdtempSync(join(tmpdir(), "countersign-key-"));
  try {
    const file = join(folder, "key.pem");
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    writeFileSync(file, privateKey.export({ type: "pkcs8", format: "pem" }));
    const config = auditConfig.parse({
      KAFKA_BROKERS: "127.0.0.1:9092",
      DATABASE_URL: "postgres://127.0.0.1/x",
      GATEWAY_URL: "http://127.0.0.1:8080",
      ISSUER_URL: "http://127.0.0.1:8081",
      CHECKPOINT_KEY_FILE: file,
    });
    expect(() => CheckpointKey.load(config)).toThrow("openssl genpkey -algorithm ed25519");
    expect(() => CheckpointKey.load({ ...config, CHECKPOINT_KEY_FILE: join(folder, "none") })).toThrow(
      "openssl genpkey -algorithm ed25519",
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
