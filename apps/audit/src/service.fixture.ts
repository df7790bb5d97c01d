import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { INestApplication } from "@nestjs/common";
import { createLogger, createService, parseConfig } from "@countersign/service-kit";
import { auditConfig } from "./config.js";
import { auditService } from "./service.js";

export const log = createLogger("audit", "silent");

/** A file with a fresh checkpoint key. */
export function checkpointKeyFile(): { path: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "countersign-audit-"));
  const path = join(folder, "checkpoint.pem");
  const { privateKey } = generateKeyPairSync("ed25519");
  writeFileSync(path, privateKey.export({ format: "pem", type: "pkcs8" }));
  return { path, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export interface ServiceOptions {
  readonly brokers: string;
  readonly databaseUrl: string;
  readonly issuerUrl: string;
  readonly keyFile: string;
  readonly fingerprintKeyFile?: string;
  /** Runs between wiring and start. */
  readonly prepare?: (app: INestApplication) => void;
}

/** The service as production wires it, on a free port. */
export async function startService(options: ServiceOptions): Promise<{ app: INestApplication; url: string }> {
  const config = parseConfig("audit", auditConfig, {
    KAFKA_BROKERS: options.brokers,
    DATABASE_URL: options.databaseUrl,
    GATEWAY_URL: "http://127.0.0.1:8080",
    ISSUER_URL: options.issuerUrl,
    CHECKPOINT_KEY_FILE: options.keyFile,
    FINGERPRINT_KEY_FILE: options.fingerprintKeyFile,
  });
  const app = await createService(auditService, config, log);
  options.prepare?.(app);
  await app.listen(0, "127.0.0.1");
  await app.startAllMicroservices();
  return { app, url: await app.getUrl() };
}
