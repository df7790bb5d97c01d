import { generateKeyPairSync, randomBytes } from "node:crypto";

const randomText = (): string => randomBytes(32).toString("base64url");

/** A private JSON Web Key (RFC 7517) on the curve P-256. */
const privateJwk = (alg: "ES256" | "ECDH-ES", use: "sig" | "enc"): object => ({
  ...generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" }),
  kid: randomBytes(12).toString("base64url"),
  alg,
  use,
});

const keySet = (key: object): string => JSON.stringify({ keys: [key] });

const databasePasswordOf = <S extends string>(service: S) => ({
  [`database-password-${service}`]: randomText,
});

/** Every secret of one deployment, and how it is made where nobody brought one. */
export const generators: Readonly<Record<string, () => string>> = {
  "postgres-password": randomText,
  "company-idp-client-secret": randomText,
  "ci-client-secret": randomText,
  "payments-upstream-token": randomText,
  "cookie-secret": randomText,
  "fingerprint-key": () => randomBytes(32).toString("base64"),
  "identity-keys.json": () => keySet(privateJwk("ES256", "sig")),
  "vault-keys.json": () => keySet(privateJwk("ECDH-ES", "enc")),
  "checkpoint-key.pem": () =>
    generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  ...databasePasswordOf("identity"),
  ...databasePasswordOf("session-broker"),
  ...databasePasswordOf("approval"),
  ...databasePasswordOf("masking"),
  ...databasePasswordOf("audit"),
  ...databasePasswordOf("payments"),
};

interface Share {
  /** The file as its reader finds it, and the secret that it holds. */
  readonly files: Readonly<Record<string, string>>;
  /** The user that its reader runs as. */
  readonly uid: number;
}

/** The users of the official images of Node and PostgreSQL. */
const nodeUid = 1000;
const postgresUid = 999;

const withDatabase = (service: string, files: Readonly<Record<string, string>> = {}): Share => ({
  uid: nodeUid,
  files: { "database-password": `database-password-${service}`, ...files },
});

/** Who reads which secret: each container sees its own folder and no other. */
export const shares: Readonly<Record<string, Share>> = {
  postgres: { uid: postgresUid, files: { password: "postgres-password" } },
  setup: { uid: nodeUid, files: { "postgres-password": "postgres-password" } },
  proxy: {
    uid: nodeUid,
    files: { "fingerprint-key": "fingerprint-key", "payments-upstream-token": "payments-upstream-token" },
  },
  identity: withDatabase("identity", {
    "identity-keys.json": "identity-keys.json",
    "cookie-secret": "cookie-secret",
    "company-idp-client-secret": "company-idp-client-secret",
  }),
  "session-broker": withDatabase("session-broker", { "payments-upstream-token": "payments-upstream-token" }),
  approval: withDatabase("approval"),
  masking: withDatabase("masking", {
    "vault-keys.json": "vault-keys.json",
    "fingerprint-key": "fingerprint-key",
  }),
  audit: withDatabase("audit", {
    "checkpoint-key.pem": "checkpoint-key.pem",
    "fingerprint-key": "fingerprint-key",
  }),
  "dev-idp": {
    uid: nodeUid,
    files: {
      "company-idp-client-secret": "company-idp-client-secret",
      "ci-client-secret": "ci-client-secret",
    },
  },
  payments: withDatabase("payments", { "payments-upstream-token": "payments-upstream-token" }),
};
