import { createHmac, timingSafeEqual } from "node:crypto";

const macBytes = 16;

/**
 * Binds an upstream's `Mcp-Session-Id` to the principal that opened it: the client gets the id with a keyed code behind
 * it and no other principal can use it, at any replica and after any restart, with nothing remembered.
 */
export class McpSessionIds {
  constructor(private readonly key: Uint8Array) {}

  bind(upstreamId: string, endpoint: string, principalId: string): string {
    return `${upstreamId}.${this.#mac(upstreamId, endpoint, principalId).toString("base64url")}`;
  }

  /** The upstream's own id, or undefined where this principal did not open it. */
  open(boundId: string, endpoint: string, principalId: string): string | undefined {
    const dot = boundId.lastIndexOf(".");
    if (dot <= 0) return undefined;
    const upstreamId = boundId.slice(0, dot);
    const given = Buffer.from(boundId.slice(dot + 1), "base64url");
    const expected = this.#mac(upstreamId, endpoint, principalId);
    return given.length === macBytes && timingSafeEqual(given, expected) ? upstreamId : undefined;
  }

  #mac(upstreamId: string, endpoint: string, principalId: string): Buffer {
    return createHmac("sha256", this.key)
      .update(JSON.stringify(["mcp-session-id v1", upstreamId, endpoint, principalId]))
      .digest()
      .subarray(0, macBytes);
  }
}
