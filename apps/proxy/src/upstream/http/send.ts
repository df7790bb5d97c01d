import { setTimeout as sleep } from "node:timers/promises";
import { type Dispatcher, request } from "undici";
import { UpstreamFailed } from "../upstream-failed.js";
import { neverSent } from "./never-sent.js";

/** Waits before the second and the third attempt to connect. */
const connectAgainMs = [100, 400] as const;

/**
 * Sends a request once. Only what certainly never left is tried again: a tool call that reached the server may have had
 * its effect. Throws `UpstreamFailed`, or the abort's own error where `signal` ended it.
 */
export async function sendOnce(
  dispatcher: Dispatcher,
  url: string,
  options: {
    method: "POST" | "GET" | "DELETE";
    headers: Readonly<Record<string, string>>;
    body?: Uint8Array;
    signal: AbortSignal;
  },
): Promise<Dispatcher.ResponseData> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await request(url, { ...options, body: options.body ?? null, dispatcher });
    } catch (error) {
      if (options.signal.aborted) throw error;
      const sent = !neverSent(error);
      const waitMs = connectAgainMs[attempt];
      if (sent || waitMs === undefined) throw failureOf(error, sent);
      await sleep(waitMs, undefined, { signal: options.signal });
    }
  }
}

const failureOf = (cause: unknown, sent: boolean): UpstreamFailed =>
  sent
    ? new UpstreamFailed(
        "upstream_broke_off",
        "The upstream MCP server broke off before it answered; whether the call had an effect is not known.",
        { sent, cause },
      )
    : new UpstreamFailed(
        "upstream_unavailable",
        "The upstream MCP server cannot be reached, so the call was not made; try again later.",
        { sent, cause },
      );
