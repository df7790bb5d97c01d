import type { IncomingHttpHeaders } from "node:http";
import { Refusal } from "../refusal.js";

/** A web page may not drive the gateway through a visitor's browser (MCP, DNS rebinding): its origin must be listed. */
export function checkOrigin(headers: IncomingHttpHeaders, allowed: readonly string[]): void {
  const { origin } = headers;
  if (origin === undefined || allowed.includes(origin)) return;
  throw new Refusal(
    "origin_refused",
    "This web origin may not call the gateway; an administrator can allow it.",
    {
      httpStatus: 403,
    },
  );
}
