import { generateKeyPairSync, type KeyObject, randomUUID, sign } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { INestApplication } from "@nestjs/common";
import { apiAudience, type Principal, topicNames, topics } from "@countersign/contracts";
import { createKafka, createLogger, createService, parseConfig } from "@countersign/service-kit";
import { auditConfig } from "./config.js";
import { auditService } from "./service.js";

export const log = createLogger("audit", "silent");

/** An issuer of access tokens: one key, one JWKS. */
export class TestIssuer {
  readonly #keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  #server: Server | undefined;
  url = "";

  async start(): Promise<void> {
    const jwk = { ...this.#keys.publicKey.export({ format: "jwk" }), kid: "1", alg: "ES256", use: "sig" };
    const server = createServer((_, response) => {
      response.setHeader("content-type", "application/json").end(JSON.stringify({ keys: [jwk] }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server?.close();
  }

  token(caller: Principal): string {
    const { id: sub, ...claims } = caller;
    const now = Math.floor(Date.now() / 1000);
    return signed(
      { alg: "ES256", typ: "at+jwt", kid: "1" },
      { ...claims, sub, iss: this.url, aud: apiAudience, iat: now, exp: now + 300, jti: randomUUID() },
      this.#keys.privateKey,
    );
  }
}

function signed(header: object, claims: object, key: KeyObject): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const input = `${part(header)}.${part(claims)}`;
  const signature = sign("sha256", Buffer.from(input), { key, dsaEncoding: "ieee-p1363" });
  return `${input}.${signature.toString("base64url")}`;
}

export async function ensureTopics(brokers: string): Promise<void> {
  const admin = createKafka("spec", brokers.split(","), log).admin();
  await admin.connect();
  try {
    // Specs that run beside this one make the same topics; whoever is first, they are alike.
    for (const topic of topicNames) {
      await admin
        .createTopics({
          waitForLeaders: true,
          topics: [
            {
              topic,
              numPartitions: topics[topic].partitions,
              configEntries: [{ name: "max.message.bytes", value: "16777216" }],
            },
          ],
        })
        .catch(() => false);
    }
  } finally {
    await admin.disconnect();
  }
}

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
