import { type ChildProcessByStdio, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { StdioUpstream } from "@countersign/contracts";
import { scrubbed } from "../credentials/scrub.js";
import type { Secrets } from "../credentials/secrets.js";
import { LineReader, oneLine } from "../duplex/lines.js";
import type { Wire, WireEvents } from "../duplex/wire.js";
import { UpstreamFailed } from "../upstream-failed.js";
import { type Environment, environmentOf } from "./environment.js";
import type { Keeper } from "./keeper.js";
import { endProcessGroup } from "./process-group.js";
import { ProgramLog } from "./program-log.js";
import { ProgramEnded } from "./program-ended.js";

type Program = ChildProcessByStdio<Writable, Readable, Readable>;

export interface StdioTools {
  readonly secrets: Secrets;
  readonly keeper: Keeper;
  /** The programs that this proxy may run. */
  readonly commandsAllowed: readonly string[];
  readonly path: string | undefined;
  /** Hears how many bytes the server wrote to its log, those included of which nothing else is told. */
  readonly logged: (bytes: number) => void;
}

/** What a process that ended may still have to say, and how long a process may be deaf. */
const lastWordsMs = 500;
const waitingBytesMax = 16 * 1024 * 1024;

/** Runs a server and speaks newline-delimited JSON-RPC with it. Secrets are read anew for each process. */
export async function openStdio(
  settings: StdioUpstream,
  bytesMax: number,
  tools: StdioTools,
  events: WireEvents,
): Promise<Wire> {
  const [file = "", ...args] = settings.command;
  if (!tools.commandsAllowed.includes(file)) {
    throw unavailable(
      "The gateway may not run this endpoint's program: an administrator has to list it in STDIO_COMMANDS.",
    );
  }
  const mark = randomUUID();
  const folder = await mkdtemp(join(tmpdir(), "countersign-stdio-"));
  const removeFolder = (): Promise<void> =>
    rm(folder, { recursive: true, force: true }).catch(() => undefined);
  try {
    const { secrets, path } = tools;
    const environment = await environmentOf(settings.environment, { secrets, folder, mark, path }).catch(
      (cause: unknown) => {
        throw new UpstreamFailed(
          "upstream_credential_failed",
          "The gateway has no credential for the upstream at the moment, so it was not started; tell an administrator.",
          { sent: false, cause },
        );
      },
    );
    const program = await start(file, args, environment, settings.workingDirectory ?? folder);
    return new StdioWire(program, { bytesMax, environment, mark, removeFolder, tools, events });
  } catch (error) {
    await removeFolder();
    throw error;
  }
}

async function start(file: string, args: string[], environment: Environment, cwd: string): Promise<Program> {
  try {
    // `detached` makes it the head of a process group, by which its children are found too.
    const options = { cwd, env: environment.variables, detached: true, shell: false } as const;
    const program = spawn(file, args, { ...options, stdio: ["pipe", "pipe", "pipe"] });
    await once(program, "spawn");
    return program;
  } catch (cause) {
    throw unavailable("The upstream's program cannot be started; tell an administrator.", cause);
  }
}

const unavailable = (message: string, cause?: unknown): UpstreamFailed =>
  new UpstreamFailed("upstream_unavailable", message, { sent: false, cause });

class StdioWire implements Wire {
  readonly #group: number;
  readonly #log: ProgramLog;
  #closing: Promise<void> | undefined;

  constructor(
    private readonly program: Program,
    private readonly own: {
      readonly bytesMax: number;
      readonly environment: Environment;
      readonly mark: string;
      readonly removeFolder: () => Promise<void>;
      readonly tools: StdioTools;
      readonly events: WireEvents;
    },
  ) {
    this.#group = program.pid ?? 0;
    own.tools.keeper.add(this.#group);
    const lines = new LineReader(own.bytesMax);
    program.stdout.on("data", (chunk: Buffer) => this.#read(lines, chunk));
    this.#log = new ProgramLog((text) =>
      own.events.logged(scrubbed(text, own.environment.secrets).toString("utf8")),
    );
    program.stderr.on("data", (chunk: Buffer) => {
      own.tools.logged(chunk.length);
      this.#log.push(chunk);
    });
    for (const stream of [program.stdin, program.stdout, program.stderr]) stream.on("error", () => undefined);
    program.on("exit", (code, signal) => void this.#exited(code, signal));
  }

  async send(message: Uint8Array, _: unknown, signal: AbortSignal): Promise<void> {
    const { stdin } = this.program;
    if (this.#closing || !stdin.writable) throw gone();
    if (stdin.writableLength > waitingBytesMax) {
      throw new UpstreamFailed(
        "upstream_busy",
        "The upstream does not read what it is sent; try again later.",
        {
          sent: false,
        },
      );
    }
    if (stdin.write(oneLine(message))) return;
    const settled = new AbortController();
    const until = { signal: AbortSignal.any([signal, settled.signal]) };
    const closed = once(stdin, "close", until).then(() => Promise.reject(gone()));
    await Promise.race([once(stdin, "drain", until), closed]).finally(() => settled.abort());
  }

  pause(): void {
    this.program.stdout.pause();
  }

  resume(): void {
    this.program.stdout.resume();
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    this.program.stdin.end();
    await endProcessGroup(this.#group, this.own.mark);
    this.own.tools.keeper.remove(this.#group);
    this.program.stdin.destroy();
    this.program.stdout.destroy();
    this.program.stderr.destroy();
    this.#log.end();
    await this.own.removeFolder();
  }

  #read(lines: LineReader, chunk: Buffer): void {
    if (this.#closing) return;
    const { environment, events } = this.own;
    let read: Buffer[];
    try {
      read = lines.push(chunk);
    } catch (error) {
      this.program.stdout.destroy();
      events.closed(error as Error);
      return;
    }
    for (const line of read) events.message(scrubbed(line, environment.secrets));
  }

  async #exited(code: number | null, signal: NodeJS.Signals | null): Promise<void> {
    // Its last answer may still be on the way; a child that holds the stream open is not waited for.
    if (!this.program.stdout.readableEnded) {
      await Promise.race([once(this.program.stdout, "close"), sleep(lastWordsMs)]).catch(() => undefined);
    }
    if (!this.#closing) this.own.events.closed(new ProgramEnded(code, signal));
  }
}

const gone = (): UpstreamFailed =>
  new UpstreamFailed("upstream_broke_off", "The upstream MCP server ended; start a new session.", {
    sent: true,
  });
