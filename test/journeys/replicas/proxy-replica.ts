import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, readFileSync } from "node:fs";
import { join } from "node:path";
import { eventually, type Suite } from "@countersign/local";

const program = new URL("../../../apps/proxy/dist/main.js", import.meta.url).pathname;

/** One of several proxies that share configuration and keys, and nothing else but Kafka. */
export class ProxyReplica {
  #process: ChildProcess | undefined;

  constructor(
    private readonly suite: Suite,
    readonly id: string,
    readonly port: number,
  ) {}

  async start(): Promise<void> {
    const { urls, brokers, dataDir } = this.suite;
    const child = spawn(process.execPath, [program], {
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        PATH: process.env["PATH"],
        HOST: "127.0.0.1",
        PORT: String(this.port),
        PROXY_ID: this.id,
        KAFKA_BROKERS: brokers,
        GATEWAY_URL: urls.proxy,
        ISSUER_URL: urls.identity,
        FINGERPRINT_KEY_FILE: join(dataDir, "secrets/fingerprint-key"),
      },
    });
    const logFile = join(dataDir, "logs", `${this.id}.log`);
    const log = createWriteStream(logFile, { flags: "a" });
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    this.#process = child;
    const ready = async (): Promise<true | undefined> => {
      if (child.exitCode !== null) throw new Error(`${this.id} ended by itself`);
      const answer = await fetch(`http://127.0.0.1:${this.port}/readyz`).catch(() => undefined);
      return answer?.ok ? true : undefined;
    };
    await eventually(ready, `The start of ${this.id}`, 120_000).catch((error: unknown) => {
      throw new Error(readFileSync(logFile, "utf8").slice(-2_000), { cause: error });
    });
  }

  /** SIGKILL ends it as a crash does, SIGTERM as an update does. Answers the exit code. */
  async end(signal: "SIGKILL" | "SIGTERM"): Promise<number | null> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return null;
    const exit = once(child, "exit") as Promise<[number | null]>;
    child.kill(signal);
    const [code] = await exit;
    return code;
  }
}
