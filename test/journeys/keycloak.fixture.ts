import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, existsSync, openSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { eventually, freePorts } from "@countersign/local";

const run = promisify(execFile);

const version = "26.4.0";
const sha256 = "1b6a11a2726ac8a8dc9c91d5fafe989a75ce4f1622d7f7b45c21d5bc16629c0a";
const zip = join(
  homedir(),
  `.m2/repository/org/keycloak/keycloak-quarkus-dist/${version}/keycloak-quarkus-dist-${version}.zip`,
);
const heapMiB = 512;
const admin = { username: "admin", password: "admin" };

/** A Keycloak of its own, with the realm `company` and the people that a test needs. */
export interface Keycloak {
  readonly issuer: string;
  readonly ssoUrl: string;
  /** The realm's signing certificate (PEM), in a file. */
  readonly certificateFile: string;
  readonly entityId: string;
  addClient(client: object): Promise<void>;
  setGroups(username: string, groups: readonly string[]): Promise<void>;
  /** Ends all that a person has there; the clients are told. */
  logOut(username: string): Promise<void>;
  stop(): Promise<void>;
}

export async function startKeycloak(): Promise<Keycloak> {
  await fetchZip();
  const folder = await mkdtemp(join(tmpdir(), "countersign-keycloak-"));
  await run("python3", ["-m", "zipfile", "-e", zip, folder]);
  const home = join(folder, `keycloak-${version}`);
  const [port = 0, managementPort = 0] = await freePorts(2);
  const log = openSync(join(folder, "keycloak.log"), "a");
  const child = spawn(
    "sh",
    [
      join(home, "bin/kc.sh"),
      "start-dev",
      "--db=dev-mem",
      "--http-host=127.0.0.1",
      `--http-port=${port}`,
      `--http-management-port=${managementPort}`,
    ],
    {
      stdio: ["ignore", log, log],
      detached: true,
      env: {
        PATH: process.env["PATH"],
        HOME: folder,
        JAVA_OPTS_KC_HEAP: `-Xms128m -Xmx${heapMiB}m`,
        KC_BOOTSTRAP_ADMIN_USERNAME: admin.username,
        KC_BOOTSTRAP_ADMIN_PASSWORD: admin.password,
      },
    },
  );
  const stop = async () => {
    await stopped(child);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const origin = `http://127.0.0.1:${port}`;
    await eventually(
      async () => ((await fetch(`${origin}/realms/master`).catch(() => undefined))?.ok ? true : undefined),
      "Keycloak",
      300_000,
    );
    return await prepare(origin, folder, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function prepare(origin: string, folder: string, stop: () => Promise<void>): Promise<Keycloak> {
  const call = async <T>(path: string, method = "GET", body?: object): Promise<T> => {
    const response = await fetch(`${origin}/admin${path}`, {
      method,
      headers: { authorization: `Bearer ${await adminToken(origin)}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`Keycloak answered ${response.status} to ${method} ${path}: ${text}`);
    return (text ? JSON.parse(text) : undefined) as T;
  };
  await call("/realms", "POST", {
    realm: "company",
    enabled: true,
    sslRequired: "none",
    groups: [{ name: "payments-engineers" }, { name: "payments-leads" }],
    users: [
      {
        username: "erin",
        enabled: true,
        email: "erin@example.com",
        emailVerified: true,
        firstName: "Erin",
        lastName: "Engineer",
        credentials: [{ type: "password", value: "correct horse", temporary: false }],
        groups: ["payments-engineers"],
      },
    ],
  });
  const issuer = `${origin}/realms/company`;
  const descriptor = await (await fetch(`${issuer}/protocol/saml/descriptor`)).text();
  const certificate = /<ds:X509Certificate>([^<]+)</.exec(descriptor)?.[1] ?? "";
  const certificateFile = join(folder, "realm.pem");
  await writeFile(
    certificateFile,
    `-----BEGIN CERTIFICATE-----\n${(certificate.match(/.{1,64}/g) ?? []).join("\n")}\n-----END CERTIFICATE-----\n`,
  );
  const users = (username: string) => call<{ id: string }[]>(`/realms/company/users?username=${username}`);
  const idOf = async (username: string) => (await users(username))[0]?.id ?? "";
  return {
    issuer,
    ssoUrl: `${issuer}/protocol/saml`,
    certificateFile,
    entityId: issuer,
    addClient: (client) => call("/realms/company/clients", "POST", client),
    async setGroups(username, names) {
      const [id, groups] = [
        await idOf(username),
        await call<{ id: string; name: string }[]>("/realms/company/groups"),
      ];
      for (const group of groups) {
        const method = names.includes(group.name) ? "PUT" : "DELETE";
        await call(`/realms/company/users/${id}/groups/${group.id}`, method);
      }
    },
    async logOut(username) {
      await call(`/realms/company/users/${await idOf(username)}/logout`, "POST");
    },
    stop,
  };
}

async function adminToken(origin: string): Promise<string> {
  const response = await fetch(`${origin}/realms/master/protocol/openid-connect/token`, {
    method: "POST",
    body: new URLSearchParams({ grant_type: "password", client_id: "admin-cli", ...admin }),
  });
  return ((await response.json()) as { access_token: string }).access_token;
}

/** From Maven Central, once; what was fetched is what it was when this was written. */
async function fetchZip(): Promise<void> {
  if (!existsSync(zip))
    await run(
      "mvn",
      [
        "-q",
        "dependency:get",
        `-Dartifact=org.keycloak:keycloak-quarkus-dist:${version}:zip`,
        "-Dtransitive=false",
      ],
      { timeout: 600_000 },
    );
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(zip)) hash.update(chunk as Buffer);
  if (hash.digest("hex") !== sha256)
    throw new Error(`${zip} is not the Keycloak ${version} that was expected`);
}

/** kc.sh starts Java as a child; both are one process group. */
async function stopped(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  process.kill(-child.pid, "SIGTERM");
  const killer = setTimeout(() => child.pid !== undefined && process.kill(-child.pid, "SIGKILL"), 15_000);
  await ended;
  clearTimeout(killer);
}
