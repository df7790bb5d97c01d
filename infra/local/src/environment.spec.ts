import { serviceNames } from "@countersign/contracts";
import { describe, expect, it } from "vitest";
import {
  devIdpEnvironment,
  paymentsEnvironment,
  serviceEnvironment,
  type Surroundings,
} from "./environment.js";
import { defaultPorts } from "./plan.js";

const around: Surroundings = {
  ports: defaultPorts,
  brokers: "127.0.0.1:9092",
  configFile: "/countersign.yaml",
  databaseUrls: {
    audit: "postgres://audit@127.0.0.1/countersign",
    payments: "postgres://payments@127.0.0.1/payments",
  },
  env: { PATH: "/bin", DATABASE_URL: "postgres://admin:hush@127.0.0.1/postgres", PORT: "1", HOST: "0.0.0.0" },
  secrets: {
    companyIdpClientSecret: "client-secret",
    ciClientSecret: "ci-secret",
    paymentsUpstreamToken: "upstream-token",
    files: {
      postgresPassword: "/secrets/postgres-password",
      identityKeys: "/secrets/identity-keys",
      cookieSecret: "/secrets/cookie-secret",
      vaultKeys: "/secrets/vault-keys",
      fingerprintKey: "/secrets/fingerprint-key",
      checkpointKey: "/secrets/checkpoint-key",
      devIdpKeys: "/secrets/dev-idp-keys",
    },
    databasePassword: () => Promise.reject(new Error("not asked for")),
  },
};

const holders = (secret: string) =>
  serviceNames.filter((name) => Object.values(serviceEnvironment(name, around)).includes(secret));

describe("what a part is told", () => {
  it("never holds the administrator's database", () => {
    const everybody = [
      ...serviceNames.map((name) => serviceEnvironment(name, around)),
      devIdpEnvironment(around),
      paymentsEnvironment(around),
    ];
    expect(JSON.stringify(everybody)).not.toContain("hush");
    expect(everybody.map(({ HOST }) => HOST)).toEqual(everybody.map(() => "127.0.0.1"));
  });

  it.each([
    ["/secrets/vault-keys", ["masking"]],
    ["/secrets/identity-keys", ["identity"]],
    ["/secrets/cookie-secret", ["identity"]],
    ["client-secret", ["identity"]],
    ["/secrets/checkpoint-key", ["audit"]],
    ["/secrets/fingerprint-key", ["proxy", "masking", "audit"]],
    ["upstream-token", ["proxy", "session-broker"]],
    ["ci-secret", []],
    ["/secrets/postgres-password", []],
  ])("holds %s only where it is needed", (secret, services) => {
    expect(holders(secret)).toEqual(services);
  });

  it("names the database of the service's own role", () => {
    expect(serviceEnvironment("audit", around)["DATABASE_URL"]).toBe(around.databaseUrls.audit);
    expect(serviceEnvironment("proxy", around)["DATABASE_URL"]).toBeUndefined();
  });
});
