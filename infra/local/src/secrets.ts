import { generateKeyPairSync, randomBytes } from "node:crypto";
import { join } from "node:path";
import { exportJWK, generateKeyPair } from "jose";
import { secretFile } from "./secret-file.js";

/** Secrets that travel as values, and the files of those that travel as paths. */
export interface Secrets {
  readonly companyIdpClientSecret: string;
  readonly ciClientSecret: string;
  readonly paymentsUpstreamToken: string;
  readonly files: {
    readonly postgresPassword: string;
    readonly identityKeys: string;
    readonly cookieSecret: string;
    readonly vaultKeys: string;
    readonly fingerprintKey: string;
    readonly checkpointKey: string;
    readonly devIdpKeys: string;
  };
  /** The password of a database role, by the role's owner. */
  databasePassword(owner: string): Promise<string>;
}

/** Everything secret of one data folder: made at its first start, kept in files of the owner's alone. */
export async function secretsIn(folder: string): Promise<Secrets> {
  const file = (name: string) => join(folder, name);
  const password = (name: string) => secretFile(file(name), randomText);
  const keep = async (name: string, generate: () => string | Promise<string>) => {
    await secretFile(file(name), generate);
    return file(name);
  };
  return {
    companyIdpClientSecret: await password("company-idp-client-secret"),
    ciClientSecret: await password("ci-client-secret"),
    paymentsUpstreamToken: await password("payments-upstream-token"),
    files: {
      postgresPassword: await keep("postgres-password", randomText),
      identityKeys: await keep("identity-keys.json", signingKeys),
      cookieSecret: await keep("cookie-secret", randomText),
      vaultKeys: await keep("vault-keys.json", vaultKeys),
      fingerprintKey: await keep("fingerprint-key", () => randomBytes(32).toString("base64")),
      checkpointKey: await keep("checkpoint-key.pem", checkpointKey),
      devIdpKeys: file("dev-idp-keys.json"),
    },
    databasePassword: (owner) => password(`database-password-${owner}`),
  };
}

const randomText = () => randomBytes(32).toString("base64url");

const signingKeys = async () => jwks([await privateJwk("ES256", "sig")]);

const vaultKeys = async () => jwks([await privateJwk("ECDH-ES", "enc")]);

const jwks = (keys: readonly object[]) => JSON.stringify({ keys });

async function privateJwk(alg: "ES256" | "ECDH-ES", use: "sig" | "enc"): Promise<object> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), kid: randomBytes(12).toString("base64url"), alg, use };
}

const checkpointKey = () =>
  generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
