import type { LoggerService } from "@nestjs/common";
import { CountersignError } from "@countersign/contracts";
import { type DestinationStream, type Logger, pino, stdTimeFunctions } from "pino";

export type { Logger } from "pino";

/**
 * The only fields that a log line may carry: codes, ids, names of things, counts and sizes. Anything else is dropped,
 * so a payload or a secret cannot reach a log by being handed to it (PCI DSS 3.3.1, 3.5.1).
 */
const fieldsAllowed = new Set([
  "approvalId",
  "attempt",
  "bundleVersion",
  "bytes",
  "callId",
  "check",
  "clientId",
  "code",
  "consumer",
  "context",
  "count",
  "durationMs",
  "effect",
  "endpoint",
  "epoch",
  "error",
  "eventId",
  "host",
  "keyId",
  "logIndex",
  "method",
  "offset",
  "outcome",
  "partition",
  "pid",
  "port",
  "principalId",
  "problems",
  "reason",
  "requestId",
  "route",
  "seq",
  "service",
  "sessionId",
  "signal",
  "status",
  "topic",
  "treeSize",
  "type",
  "version",
]);

const charactersMax = 500;

/** What may be said of an error: ours in full; of any other its name, code and frames, since its message may quote data. */
export function describeError(error: unknown): string {
  if (error instanceof CountersignError) {
    return error.cause === undefined
      ? `${error.name} ${error.code}: ${error.message}`
      : `${error.name} ${error.code}: ${error.message} (caused by ${describeError(error.cause)})`;
  }
  if (!(error instanceof Error)) return typeof error;
  const code = "code" in error && typeof error.code === "string" ? ` ${error.code}` : "";
  // The name of a Kafka protocol error, such as NOT_LEADER_FOR_PARTITION.
  const type =
    "type" in error && typeof error.type === "string" && /^[A-Z_]{3,60}$/.test(error.type)
      ? ` ${error.type}`
      : "";
  const frames = (error.stack ?? "")
    .split("\n")
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 4)
    .map((line) => line.trim());
  return `${error.name}${code}${type} ${frames.join(" < ")}`;
}

/** A number whose digits are too few for a card; of a longer one, its text, in which digits can be removed. */
const shortNumber = (value: number): number | string =>
  Math.abs(value) < 1e12 ? Math.round(value * 1_000) / 1_000 : String(value);

const allowed = (fields: Record<string, unknown>): Record<string, unknown> => {
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (!fieldsAllowed.has(name)) continue;
    if (name === "error") kept[name] = describeError(value);
    else if (typeof value === "number") kept[name] = shortNumber(value);
    else if (typeof value === "boolean") kept[name] = value;
    else if (typeof value === "string") kept[name] = value.slice(0, charactersMax);
  }
  return kept;
};

/**
 * A run of digits as long as a card number, plain or in groups, has no business in a log line, wherever it came from.
 * The groups between hyphens are those of a card, since ids have hyphens too. A SHA-256, which names a version of the
 * policies, is one in twenty times such a run by chance, and stays.
 */
const cardLike =
  /(?<digest>(?<!\w)(?=\d*[a-f])[\da-f]{64}(?!\w))|\d(?: ?\d){12,}|(?<![\w-])\d{4}-\d{4}-\d{4}-\d{4}(?![\w-])|(?<![\w-])\d{4}-\d{6}-\d{5}(?![\w-])/g;
const withoutLongDigits = (line: string): string => line.replace(cardLike, orDigest);
const orDigest = (_match: string, digest: string | undefined): string => digest ?? "[digits removed]";

/** A structured log that cannot print payloads or secrets. */
export function createLogger(service: string, level: string, destination?: DestinationStream): Logger {
  return pino(
    {
      level,
      base: { service, pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: allowed },
      hooks: { streamWrite: withoutLongDigits },
    },
    destination ?? pino.destination({ dest: 1, sync: true }),
  );
}

/** Nest's own lines, by the same rules: its messages for people pass, foreign errors lose their message. */
export class NestLogs implements LoggerService {
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  log(message: unknown, ...rest: unknown[]): void {
    this.#write("debug", message, rest);
  }
  error(message: unknown, ...rest: unknown[]): void {
    this.#write("error", message, rest);
  }
  warn(message: unknown, ...rest: unknown[]): void {
    this.#write("warn", message, rest);
  }
  debug(message: unknown, ...rest: unknown[]): void {
    this.#write("debug", message, rest);
  }

  #write(level: "error" | "warn" | "debug", message: unknown, rest: unknown[]): void {
    const context = rest.findLast((part) => typeof part === "string" && !part.includes("\n"));
    if (message instanceof Error) this.#log[level]({ error: message, context }, "framework error");
    else if (level === "error")
      this.#log.error({ context, bytes: String(message).length }, "framework error");
    else
      this.#log[level](
        { context },
        typeof message === "string" ? message.slice(0, charactersMax) : "framework",
      );
  }
}
