import { Readable } from "node:stream";
import type { UpstreamAnswer } from "../upstream.js";

/** A message as an event of a stream. Line breaks within it get lines of their own. */
export function sseFrame(message: Buffer): Buffer {
  const data =
    message.includes(0x0a) || message.includes(0x0d)
      ? Buffer.from(message.toString("utf8").replaceAll(/\r\n|\n|\r/g, "\ndata: "))
      : message;
  return Buffer.concat([Buffer.from("event: message\ndata: "), data, Buffer.from("\n\n")]);
}

export function jsonAnswer(
  status: number,
  message: { id: string | number | null; error: { code: number; message: string } },
): UpstreamAnswer {
  const body = Readable.from([Buffer.from(JSON.stringify({ jsonrpc: "2.0", ...message }))]);
  return { status, headers: { "content-type": "application/json" }, body };
}

/** The errors that revision 2026-07-28 answers with an HTTP status of their own, so that clients can try an older one. */
const statuses: ReadonlyMap<unknown, number> = new Map([
  [-32601, 404],
  [-32020, 400],
  [-32021, 400],
  [-32022, 400],
]);

const codeOf = (error: unknown): unknown =>
  typeof error === "object" && error !== null && "code" in error ? error.code : undefined;

export const isRefusalOfEra = (error: unknown): boolean => statuses.has(codeOf(error));
export const statusOf = (error: unknown): number => statuses.get(codeOf(error)) ?? 200;
