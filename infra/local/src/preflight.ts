import { javaVersionMin } from "./java.js";
import { LaunchError } from "./launch-error.js";
import type { PortName } from "./plan.js";

export const diskBytesMin = 2 * 1024 ** 3;
export const nodeVersionMin = 24;

/** What was found on this machine. A part that is not to be started here has no facts. */
export interface Facts {
  readonly nodeVersion: string;
  readonly kafka?: {
    /** Undefined: there is no Java. */
    readonly javaVersion: number | undefined;
    readonly jarsCached: boolean;
    readonly maven: boolean;
  };
  readonly postgres?: {
    /** Why its programs do not run, if they do not. */
    readonly failure: string | undefined;
    readonly package: string;
  };
  readonly takenPorts: readonly { readonly name: PortName; readonly port: number }[];
  readonly dataDir: { readonly path: string; readonly writable: boolean; readonly freeBytes: number };
  /** Programs of ours that have not been built. */
  readonly unbuilt: readonly string[];
}

const java = (why: string) =>
  `${why} Install Java ${javaVersionMin} or newer (Debian and Ubuntu: apt-get install openjdk-17-jre-headless; ` +
  "macOS: brew install openjdk) or set JAVA_HOME; or name an existing cluster in KAFKA_BROKERS.";

/** Everything that would keep the suite from starting, one sentence or two each: what is wrong, and what to do. */
export function problemsOf(facts: Facts): string[] {
  const problems: string[] = [];
  const { kafka, postgres, dataDir } = facts;

  if (Number.parseInt(facts.nodeVersion, 10) < nodeVersionMin) {
    problems.push(
      `Node.js ${facts.nodeVersion} is too old. Start with npm start after npm ci, which brings Node.js ` +
        `${nodeVersionMin} along; if it did not, run npm rebuild node.`,
    );
  }
  if (facts.unbuilt.length > 0) {
    problems.push(`Not built yet: ${facts.unbuilt.join(", ")}. Run npm run build.`);
  }
  if (kafka) {
    if (kafka.javaVersion === undefined) problems.push(java("Java was not found, and Kafka runs on it."));
    else if (kafka.javaVersion < javaVersionMin) {
      problems.push(java(`Java ${kafka.javaVersion} is too old for Kafka.`));
    }
    if (!kafka.jarsCached && !kafka.maven) {
      problems.push(
        "Maven was not found, and Kafka's jars have not been fetched yet. Install Maven (Debian and Ubuntu: " +
          "apt-get install maven; macOS: brew install maven), which is needed this once; or name an existing " +
          "cluster in KAFKA_BROKERS.",
      );
    }
  }
  if (postgres?.failure !== undefined) {
    problems.push(
      `PostgreSQL does not run here (${postgres.failure}). Run npm rebuild ${postgres.package}; ` +
        "or name an existing server in DATABASE_URL.",
    );
  }
  for (const { name, port } of facts.takenPorts) {
    problems.push(
      `Port ${port} for ${name} is taken on 127.0.0.1. Stop what listens there, or move all ports, ` +
        "for example with COUNTERSIGN_PORT_BASE=18080.",
    );
  }
  if (!dataDir.writable) {
    problems.push(
      `${dataDir.path} cannot be written to. Change its permissions, or name another folder in COUNTERSIGN_DATA_DIR.`,
    );
  }
  if (dataDir.freeBytes < diskBytesMin) {
    problems.push(
      `Only ${gibibytes(dataDir.freeBytes)} GiB are free at ${dataDir.path}, and ${gibibytes(diskBytesMin)} GiB are ` +
        "needed. Free some space, or name another folder in COUNTERSIGN_DATA_DIR.",
    );
  }
  return problems;
}

export function assertNoProblems(facts: Facts): void {
  const problems = problemsOf(facts);
  if (problems.length === 0) return;
  throw new LaunchError(
    "preflight_failed",
    ["Countersign cannot start on this machine yet:", ...problems.map((problem) => `  - ${problem}`)].join(
      "\n",
    ),
  );
}

const gibibytes = (bytes: number) => (bytes / 1024 ** 3).toFixed(1);
