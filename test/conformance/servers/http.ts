import type { IncomingMessage, ServerResponse } from "node:http";
import type { JsonObject } from "./content.ts";

const local = /^(localhost|127\.0\.0\.1)(:\d+)?$/;

/** Whether a request names this machine, and not a site that a browser was lured to (DNS rebinding). */
export function isLocalHost({ headers }: IncomingMessage): boolean {
  const origin = headers.origin?.replace(/^https?:\/\//, "");
  return local.test(headers.host ?? "") && (origin === undefined || local.test(origin));
}

export async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

/** The body as JSON; undefined where it is none, which the SDKs answer as they see fit. */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  try {
    return JSON.parse(await readText(request)) as unknown;
  } catch {
    return undefined;
  }
}

export function sendJson(response: ServerResponse, status: number, value: JsonObject): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}
