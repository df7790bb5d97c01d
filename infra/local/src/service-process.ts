import { fork } from "node:child_process";
import { access } from "node:fs/promises";
import { dirname, extname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { giveWay } from "./give-way.js";
import { LaunchError } from "./launch-error.js";
import { withLog } from "./log-file.js";
import { repositoryRoot } from "./repository.js";
import { followChild, type RunningProgram } from "./running-program.js";
import { waitUntil } from "./wait-until.js";

export interface ServiceProcess {
  readonly name: string;
  /** The built program, e.g. `apps/proxy/dist/main.js`. */
  readonly main: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logFile: string;
  /** Answers 200 as soon as the service can do its work. */
  readonly readyUrl: string;
  readonly readyTimeoutMs?: number;
  /** It reads what others record, and gives way to them. */
  readonly givesWay?: boolean;
}

const readyTimeoutMsDefault = 60_000;
/** A little longer than services allow themselves. */
const stopTimeoutMs = 12_000;
const probeTimeoutMs = 3_000;
/**
 * Young objects get 8 MiB, and old ones are looked through once they grew by half: a service keeps little, and without
 * this V8 lets the rest lie about until it is ten times as much. The image of `infra/docker` has the same.
 */
const memoryFlags = ["--max-semi-space-size=8", "--heap-growing-percent=50"];

const withoutCore = join(repositoryRoot, "infra/local/without-core.sh");
const watchdog = pathToFileURL(join(import.meta.dirname, `parent-watchdog${extname(import.meta.filename)}`));

/** Starts one of our services as a process of its own and waits until it is ready. It ends with this process. */
export async function startService(service: ServiceProcess): Promise<RunningProgram> {
  const { name, main, logFile, readyUrl } = service;
  await access(main).catch((cause: unknown) => {
    const file = relative(repositoryRoot, main);
    throw new LaunchError("not_built", `${file} does not exist. Run npm run build first.`, { cause });
  });

  const child = withLog(logFile, (log) =>
    fork(main, {
      cwd: dirname(dirname(main)),
      detached: true,
      env: { ...service.env, COUNTERSIGN_PARENT: "ipc", COUNTERSIGN_PROGRAM: process.execPath },
      execPath: withoutCore,
      execArgv: [...memoryFlags, "--import", watchdog.href],
      stdio: ["ignore", log, log, "ipc"],
    }),
  );
  const running = followChild(child, { name, logFile, stopTimeoutMs });
  try {
    await waitUntil(() => isReady(readyUrl), {
      what: name,
      timeoutMs: service.readyTimeoutMs ?? readyTimeoutMsDefault,
      unless: running.failure,
    });
  } catch (error) {
    running.kill();
    throw error;
  }
  const pid = child.pid ?? 0;
  if (service.givesWay) await giveWay(pid);
  return { ...running, pid };
}

async function isReady(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(probeTimeoutMs) });
  await response.body?.cancel();
  return response.ok;
}
