import { upstreamCredential, upstreamSecretReference } from "@countersign/contracts";
import { z } from "zod";
import { duration, text, webUrl } from "./fields.js";

export const upstreamSecondsMax = 3_600;
/** Each process is a program of its own on the gateway's machine. */
export const processesMax = 256;

/** Headers that are the gateway's own, or that would carry the client's credentials upstream. */
const headersNeverForwarded: ReadonlySet<string> = new Set([
  "authorization",
  "proxy-authorization",
  "cookie",
  "host",
  "connection",
  "keep-alive",
  "transfer-encoding",
  "upgrade",
  "te",
  "trailer",
  "expect",
  "content-length",
  "content-encoding",
  "accept-encoding",
]);

const timeout = duration(upstreamSecondsMax, "a client waits no longer").default(60);

const forwardHeaders = z
  .array(
    z
      .string()
      .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, { error: "must be the name of a header" })
      .toLowerCase()
      .refine((name) => !headersNeverForwarded.has(name), {
        error: "is a header that must not travel upstream",
      }),
  )
  .default([]);

const overHttp = (env: NodeJS.ProcessEnv) =>
  z.strictObject({
    /** `sse` is the HTTP+SSE transport of 2024-11-05; clients see streamable HTTP all the same. */
    transport: z.enum(["streamable-http", "sse"]).optional(),
    url: webUrl(env),
    credential: upstreamCredential.default({ type: "none" }),
    timeout,
    forwardHeaders,
  });

const overStdio = (env: NodeJS.ProcessEnv) =>
  z.strictObject({
    transport: z.literal("stdio"),
    command: z.array(text(env)).min(1, { error: "must name a program" }),
    workingDirectory: text(env)
      .refine((path) => path.startsWith("/"), { error: "must be an absolute path" })
      .optional(),
    environment: z
      .record(
        z.string().regex(/^[A-Za-z_]\w*$/, { error: "must be the name of an environment variable" }),
        // Settings that are no secrets are written out, or filled in from the environment like other texts.
        z.union([...upstreamSecretReference.options, z.strictObject({ value: text(env) })]),
      )
      .default({}),
    processes: z.int().min(1).max(processesMax).default(32),
    idle: duration(upstreamSecondsMax, "a program that nobody uses is ended").default(900),
    timeout,
  });

/** Where an endpoint's MCP server is: behind a URL, or a program that the gateway runs itself. */
export const upstream = (env: NodeJS.ProcessEnv) =>
  z.discriminatedUnion("transport", [overHttp(env), overStdio(env)]);
