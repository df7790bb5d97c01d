import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { access, chown, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { Client } from "pg";
import { type ExternalProgram, startProgram } from "./external-program.js";
import { LaunchError } from "./launch-error.js";
import { postgresBinaries } from "./postgres-binaries.js";
import { asUser, isBehindClosedFolder, postgresUser, type SystemUser } from "./postgres-user.js";
import { type OnProgress, silent, step } from "./progress.js";
import type { RunningProgram } from "./running-program.js";
import { secretFile } from "./secret-file.js";
import { waitUntil } from "./wait-until.js";

const run = promisify(execFile);
const readyTimeoutMs = 60_000;
const superuser = "postgres";
const attemptsMax = 10;
const attemptIntervalMs = 500;
const leftoverMessages = /lock file "postmaster\.pid" already exists|pre-existing shared memory block/;

export interface PostgresOptions {
  /** Everything of this server is kept here, and found here again by the next start. */
  readonly dataDir: string;
  readonly port: number;
  readonly logFile?: string;
  /** Holds the superuser's password; made at the first start. */
  readonly passwordFile?: string;
  readonly settings?: Readonly<Record<string, string>>;
  readonly onProgress?: OnProgress;
}

export interface RunningPostgres extends RunningProgram {
  /** A superuser's connection string: for creating databases and roles, never for a service. */
  readonly adminUrl: string;
}

/** Runs a real PostgreSQL 18 server. It ends with this process. */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const { dataDir, port, onProgress = silent } = options;
  const logFile = options.logFile ?? join(dataDir, "postgres.log");
  return step(onProgress, `PostgreSQL on 127.0.0.1:${port}`, async () => {
    await mkdir(dataDir, { recursive: true });
    const passwordFile = options.passwordFile ?? join(dataDir, "password");
    const password = await secretFile(passwordFile, () => randomBytes(24).toString("base64url"));

    const binaries = await postgresBinaries();
    const data = join(dataDir, "data");
    const user = await postgresUser();
    const closed = await isBehindClosedFolder([data, binaries.postgres]);
    const cluster = { initdb: binaries.initdb, data, password, user, closed };
    await initialise(cluster);

    const settings = {
      listen_addresses: "127.0.0.1",
      // Connections are by TCP alone, so no socket file is left in a shared folder.
      unix_socket_directories: "",
      max_connections: "200",
      ...options.settings,
    };
    const [command, ...args] = asUser(
      [
        binaries.postgres,
        "-D",
        data,
        "-p",
        String(port),
        ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
      ],
      user,
      closed,
    );
    const adminUrl = `postgres://${superuser}:${password}@127.0.0.1:${port}/postgres`;
    const program: ExternalProgram = {
      name: "postgres",
      command,
      args,
      env: { PATH: process.env["PATH"], LC_ALL: "C" },
      logFile,
      // Fast shutdown: ends connections instead of waiting for them.
      stopSignal: "SIGINT",
    };
    return { ...(await startAfterCrash(program, adminUrl)), adminUrl };
  });
}

/** A server that was killed leaves children that end by themselves a moment later; until then it cannot start anew. */
async function startAfterCrash(program: ExternalProgram, adminUrl: string): Promise<RunningProgram> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startOnce(program, adminUrl);
    } catch (error) {
      const leftover = error instanceof LaunchError && leftoverMessages.test(error.message);
      if (!leftover || attempt === attemptsMax) throw error;
      await sleep(attemptIntervalMs);
    }
  }
}

async function startOnce(program: ExternalProgram, adminUrl: string): Promise<RunningProgram> {
  const running = await startProgram(program);
  try {
    await waitUntil(() => answers(adminUrl), {
      what: "PostgreSQL",
      timeoutMs: readyTimeoutMs,
      unless: running.failure,
    });
    return running;
  } catch (error) {
    running.kill();
    await running.failure.catch(() => undefined);
    throw error;
  }
}

interface Cluster {
  readonly initdb: string;
  readonly data: string;
  readonly password: string;
  readonly user: SystemUser | undefined;
  readonly closed: boolean;
}

/** Prepares a new data folder beside the final one and renames it, so that an interrupted first start can be repeated. */
async function initialise({ initdb, data, password, user, closed }: Cluster): Promise<void> {
  const exists = await access(data).then(
    () => true,
    () => false,
  );
  if (exists) return;
  const incoming = `${data}.incoming`;
  const passwordFile = `${data}.password`;
  await rm(incoming, { recursive: true, force: true });
  await mkdir(incoming, { mode: 0o700 });
  await writeFile(passwordFile, password, { mode: 0o600 });
  try {
    if (user) {
      await chown(incoming, user.uid, user.gid);
      await chown(passwordFile, user.uid, user.gid);
    }
    const [command, ...args] = asUser(
      [
        initdb,
        `--pgdata=${incoming}`,
        `--username=${superuser}`,
        `--pwfile=${passwordFile}`,
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--no-sync",
      ],
      user,
      closed,
    );
    await run(command, args, {
      cwd: dirname(data),
      env: { PATH: process.env["PATH"], LC_ALL: "C" },
    }).catch((cause: unknown) => {
      throw new LaunchError("program_failed", `PostgreSQL could not prepare ${data}: ${String(cause)}`, {
        cause,
      });
    });
    await rename(incoming, data);
  } finally {
    await rm(passwordFile, { force: true });
  }
}

async function answers(connectionString: string): Promise<boolean> {
  const client = new Client({ connectionString, connectionTimeoutMillis: 2_000 });
  // A server that ends in the middle is seen by the supervisor; here it is just "not yet".
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query("SELECT 1");
    return true;
  } finally {
    await client.end();
  }
}
