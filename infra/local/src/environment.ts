import type { ServiceName } from "@countersign/contracts";
import { workload } from "@countersign/dev-idp";
import type { PartName, Ports } from "./plan.js";
import type { Secrets } from "./secrets.js";

export interface Surroundings {
  readonly ports: Ports;
  readonly brokers: string;
  readonly secrets: Secrets;
  readonly configFile: string;
  readonly databaseUrls: Readonly<Partial<Record<PartName, string>>>;
  /** What the launcher itself was told; services may read their own names from it, for example a proxy's settings. */
  readonly env: NodeJS.ProcessEnv;
}

type Environment = Record<string, string | undefined>;

const host = "127.0.0.1";
const clientId = "countersign";

export const originOf = (ports: Ports, part: PartName): string => `http://${host}:${ports[part]}`;

/** What one of the six services is told. A secret reaches only those that need it. */
export function serviceEnvironment(name: ServiceName, around: Surroundings): Environment {
  const { ports, databaseUrls } = around;
  return {
    ...inherited(around.env),
    HOST: host,
    PORT: String(ports[name]),
    LOG_LEVEL: around.env["LOG_LEVEL"] || "info",
    KAFKA_BROKERS: around.brokers,
    DATABASE_URL: databaseUrls[name],
    GATEWAY_URL: originOf(ports, "proxy"),
    ISSUER_URL: originOf(ports, "identity"),
    COUNTERSIGN_CONFIG: around.configFile,
    COMPANY_IDP_ISSUER: originOf(ports, "dev-idp"),
    COMPANY_IDP_CLIENT_ID: clientId,
    PAYMENTS_URL: `${originOf(ports, "payments")}/mcp`,
    ...ownSettings(name, around),
  };
}

function ownSettings(name: ServiceName, around: Surroundings): Environment {
  const { secrets } = around;
  const { files } = secrets;
  switch (name) {
    case "proxy":
      return {
        PROXY_ID: "local",
        FINGERPRINT_KEY_FILE: files.fingerprintKey,
        PAYMENTS_UPSTREAM_TOKEN: secrets.paymentsUpstreamToken,
      };
    case "identity":
      return {
        IDENTITY_KEYS_FILE: files.identityKeys,
        COOKIE_SECRET_FILE: files.cookieSecret,
        COMPANY_IDP_CLIENT_SECRET: secrets.companyIdpClientSecret,
      };
    case "session-broker":
      return { PAYMENTS_UPSTREAM_TOKEN: secrets.paymentsUpstreamToken };
    case "masking":
      return { VAULT_KEYS_FILE: files.vaultKeys, FINGERPRINT_KEY_FILE: files.fingerprintKey };
    case "audit":
      return { CHECKPOINT_KEY_FILE: files.checkpointKey, FINGERPRINT_KEY_FILE: files.fingerprintKey };
    case "approval":
      return {};
  }
}

/** `<ISSUER_URL>/login/<id>/callback`, with the id that countersign.yaml gives this provider. */
export function devIdpEnvironment({
  ports,
  secrets,
  env,
}: Omit<Surroundings, "databaseUrls" | "brokers">): Environment {
  return {
    ...inherited(env),
    HOST: host,
    PORT: String(ports["dev-idp"]),
    ISSUER_URL: originOf(ports, "dev-idp"),
    COMPANY_IDP_CLIENT_ID: clientId,
    COMPANY_IDP_CLIENT_SECRET: secrets.companyIdpClientSecret,
    CLIENT_REDIRECT_URI: `${originOf(ports, "identity")}/login/company/callback`,
    CI_CLIENT_SECRET: secrets.ciClientSecret,
    DEV_IDP_KEYS_FILE: secrets.files.devIdpKeys,
  };
}

export function paymentsEnvironment({ ports, secrets, databaseUrls, env }: Surroundings): Environment {
  return {
    ...inherited(env),
    HOST: host,
    PORT: String(ports.payments),
    DATABASE_URL: databaseUrls.payments,
    PAYMENTS_UPSTREAM_TOKEN: secrets.paymentsUpstreamToken,
  };
}

/** The launcher's own environment without what is the launcher's alone: an administrator's database, above all. */
function inherited(env: NodeJS.ProcessEnv): Environment {
  const { DATABASE_URL: _admin, KAFKA_BROKERS: _brokers, PORT: _port, HOST: _host, ...rest } = env;
  return rest;
}

/** How a pipeline asks the development identity provider for its token. */
export const workloadClient = (ports: Ports, secrets: Secrets) => ({
  tokenEndpoint: `${originOf(ports, "dev-idp")}/token`,
  clientId: workload.clientId,
  clientSecret: secrets.ciClientSecret,
  audience: workload.audience,
});
