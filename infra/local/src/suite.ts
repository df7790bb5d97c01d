import { join, resolve } from "node:path";
import { type ServiceName, serviceNames } from "@countersign/contracts";
import { isPortFree } from "@countersign/service-kit/ports";
import { dataDirFrom } from "./data-dir.js";
import {
  devIdpEnvironment,
  originOf,
  paymentsEnvironment,
  serviceEnvironment,
  type Surroundings,
  workloadClient,
} from "./environment.js";
import { startKafka } from "./kafka.js";
import { LaunchError } from "./launch-error.js";
import { lockDataDir } from "./launcher-lock.js";
import { rotateLog } from "./log-file.js";
import { gatherFacts, isWritableOrCreatable } from "./machine-facts.js";
import { Part, reported, startTogether } from "./part.js";
import { ensurePaymentsDatabase } from "./payments-database.js";
import { type PartName, type PortName, type Ports, portsFrom } from "./plan.js";
import { startPostgres } from "./postgres.js";
import { assertNoProblems } from "./preflight.js";
import { type OnProgress, silent, step } from "./progress.js";
import { repositoryRoot } from "./repository.js";
import { secretsIn } from "./secrets.js";
import { httpParts, programOf } from "./programs.js";
import { startService } from "./service-process.js";
import { waitUntil } from "./wait-until.js";

export interface SuiteOptions {
  /** Everything the suite keeps. `.countersign` in this checkout unless told otherwise. */
  readonly dataDir?: string;
  readonly ports?: Ports;
  readonly onProgress?: OnProgress;
  /** All six unless told otherwise. */
  readonly services?: readonly ServiceName[];
  readonly configFile?: string;
  /** Stands in for `process.env`; `KAFKA_BROKERS` and `DATABASE_URL` name what need not be started. */
  readonly env?: NodeJS.ProcessEnv;
  /** Gives the start up. */
  readonly signal?: AbortSignal;
}

export interface Suite {
  readonly dataDir: string;
  readonly ports: Ports;
  /** The origin of everything that speaks HTTP, e.g. `http://127.0.0.1:8080`. */
  readonly urls: Readonly<Record<ServiceName | "dev-idp" | "payments", string>>;
  readonly brokers: string;
  readonly adminDatabaseUrl: string;
  /** Each part's own role, as the part itself connects. */
  readonly databaseUrls: Readonly<Partial<Record<PartName, string>>>;
  /** How a pipeline gets its own token from the development identity provider. */
  readonly workload: ReturnType<typeof workloadClient>;
  /** Rejects when some part ends although nobody asked it to. */
  readonly failure: Promise<never>;
  readonly kafka: Part;
  readonly postgres: Part;
  service(name: PartName): Part;
  stop(): Promise<void>;
}

/** A launcher that was killed leaves programs that end by themselves within this time. */
const leftoversTimeoutMs = 20_000;

/** Starts everything on this machine. When something cannot start, what had started is stopped before this rejects. */
export async function startSuite(options: SuiteOptions = {}): Promise<Suite> {
  const env = options.env ?? process.env;
  const dataDir = options.dataDir === undefined ? dataDirFrom(env) : resolve(options.dataDir);
  // A folder that cannot be written to is reported by the preflight, together with everything else.
  const lock = (await isWritableOrCreatable(dataDir)) ? lockDataDir(dataDir) : undefined;
  const parts = new Map<PartName, Part>();
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= stopInReverse(parts).finally(() => lock?.release()));
  try {
    return await start({ ...options, env, dataDir, parts, stop, previousDied: lock?.previousDied ?? false });
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Start extends SuiteOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly dataDir: string;
  readonly parts: Map<PartName, Part>;
  readonly stop: () => Promise<void>;
  readonly previousDied: boolean;
}

async function start(options: Start): Promise<Suite> {
  const { env, dataDir, parts, signal, onProgress = silent, services = serviceNames } = options;
  const ports = options.ports ?? portsFrom(env);
  const needsKafka = !env["KAFKA_BROKERS"];
  const needsPostgres = !env["DATABASE_URL"];
  const listening: PortName[] = [
    ...services,
    "dev-idp",
    "payments",
    ...(needsKafka ? (["kafka", "kafka-controller"] as const) : []),
    ...(needsPostgres ? (["postgres"] as const) : []),
  ];
  if (options.previousDied) await waitForLeftovers(listening.map((name) => ports[name]));
  await step(onProgress, "This machine has what is needed", async () => {
    const programs = [...services, "dev-idp" as const, "payments" as const].map(programOf);
    assertNoProblems(
      await gatherFacts({ kafka: needsKafka, postgres: needsPostgres, ports, listening, dataDir, programs }),
    );
  });

  const secrets = await secretsIn(join(dataDir, "secrets"));
  const { promise: failure, reject: onFailure } = Promise.withResolvers<never>();
  failure.catch(() => undefined);
  const databaseUrls: Partial<Record<PartName, string>> = {};
  let adminDatabaseUrl = env["DATABASE_URL"] || "";
  const around: Surroundings = {
    ports,
    brokers: env["KAFKA_BROKERS"] || `127.0.0.1:${ports.kafka}`,
    secrets,
    configFile: resolve(
      options.configFile ?? (env["COUNTERSIGN_CONFIG"] || join(repositoryRoot, "countersign.yaml")),
    ),
    databaseUrls,
    env,
  };

  const add = (name: PartName, start: StartPart) => {
    const part = new Part({ name, logFile: join(dataDir, "logs", `${name}.log`), start, onFailure });
    rotateLog(part.logFile);
    parts.set(name, part);
    return part;
  };
  const addService = (
    name: ServiceName | "dev-idp" | "payments",
    path: string,
    environment: () => Environment,
  ) =>
    add(
      name,
      reported(`${name} on ${originOf(ports, name)}`, () =>
        startService({
          name,
          main: programOf(name),
          env: environment(),
          logFile: join(dataDir, "logs", `${name}.log`),
          readyUrl: originOf(ports, name) + path,
          givesWay: followers.has(name),
        }),
      ),
    );

  if (needsKafka) {
    add("kafka", (report) =>
      startKafka({
        dataDir: join(dataDir, "kafka"),
        port: ports.kafka,
        controllerPort: ports["kafka-controller"],
        logFile: join(dataDir, "logs/kafka.log"),
        onProgress: report,
      }),
    );
  }
  if (needsPostgres) {
    add("postgres", async (report) => {
      const postgres = await startPostgres({
        dataDir: join(dataDir, "postgres"),
        port: ports.postgres,
        logFile: join(dataDir, "logs/postgres.log"),
        passwordFile: secrets.files.postgresPassword,
        onProgress: report,
      });
      adminDatabaseUrl = postgres.adminUrl;
      return postgres;
    });
  }
  await startTogether([...parts.values()], onProgress);
  signal?.throwIfAborted();

  await step(onProgress, "Topics, roles and tables", async () => {
    databaseUrls.payments = await ensurePaymentsDatabase(
      adminDatabaseUrl,
      await secrets.databasePassword("payments"),
    );
    if (services.length === 0) return;
    // Loaded here, because it loads the tables of all services, which a test of Kafka alone should not have to.
    const { setup } = await import("@countersign/setup");
    const outcome = await setup({
      kafkaBrokers: around.brokers,
      adminDatabaseUrl,
      passwordOf: secrets.databasePassword,
      onProgress: (line) => onProgress(`  ${line}`),
    });
    Object.assign(databaseUrls, outcome.databaseUrls);
  });
  signal?.throwIfAborted();

  await startTogether(
    [
      addService("dev-idp", "/healthz", () => devIdpEnvironment(around)),
      addService("payments", "/healthz", () => paymentsEnvironment(around)),
    ],
    onProgress,
  );
  signal?.throwIfAborted();
  await startTogether(
    services.map((name) => addService(name, "/readyz", () => serviceEnvironment(name, around))),
    onProgress,
  );
  signal?.throwIfAborted();

  const service = (name: PartName): Part => {
    const part = parts.get(name);
    if (!part) throw new LaunchError("not_running", `${name} does not belong to this suite.`);
    return part;
  };
  return {
    dataDir,
    ports,
    urls: urlsOf(ports),
    brokers: around.brokers,
    adminDatabaseUrl,
    databaseUrls,
    workload: workloadClient(ports, secrets),
    failure,
    get kafka() {
      return service("kafka");
    },
    get postgres() {
      return service("postgres");
    },
    service,
    stop: options.stop,
  };
}

/** They work behind the calls, on what is recorded; a moment later is soon enough. */
const followers: ReadonlySet<PartName> = new Set(["audit", "masking"]);

type StartPart = ConstructorParameters<typeof Part>[0]["start"];
type Environment = Readonly<Record<string, string | undefined>>;

function urlsOf(ports: Ports): Suite["urls"] {
  return Object.fromEntries(httpParts.map((name) => [name, originOf(ports, name)])) as Suite["urls"];
}

/** Services before what they stand on; those that stand beside each other end together. */
async function stopInReverse(parts: ReadonlyMap<PartName, Part>): Promise<void> {
  const tiers: readonly (readonly PartName[])[] = [
    serviceNames,
    ["dev-idp", "payments"],
    ["kafka", "postgres"],
  ];
  for (const tier of tiers) {
    await Promise.all(
      [...parts.values()].filter(({ name }) => tier.includes(name)).map((part) => part.stop()),
    );
  }
}

async function waitForLeftovers(ports: readonly number[]): Promise<void> {
  const allFree = async () => (await Promise.all(ports.map((port) => isPortFree(port)))).every(Boolean);
  await waitUntil(allFree, { what: "The ports of the run before", timeoutMs: leftoversTimeoutMs }).catch(
    // The preflight that follows says which ports are taken and what to do.
    () => undefined,
  );
}
