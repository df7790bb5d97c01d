import type { Running } from "./contestants.ts";

/** The legacy handshake; answers the headers that later calls carry. */
export async function handshake({ url, headers }: Running): Promise<Record<string, string>> {
  const post = (body: unknown, more: Record<string, string> = {}): Promise<Response> =>
    fetch(url, {
      method: "POST",
      headers: {
        ...headers,
        ...more,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
      },
      body: JSON.stringify(body),
    });
  const params = {
    protocolVersion: "2025-06-18",
    capabilities: {},
    clientInfo: { name: "bench", version: "1" },
  };
  const answer = await post({ jsonrpc: "2.0", id: 0, method: "initialize", params });
  if (!answer.ok) throw new Error(`initialize: HTTP ${answer.status} ${(await answer.text()).slice(0, 300)}`);
  await answer.text();
  const sessionId = answer.headers.get("mcp-session-id");
  const session = {
    "mcp-protocol-version": "2025-06-18",
    ...(sessionId ? { "mcp-session-id": sessionId } : {}),
  };
  await (await post({ jsonrpc: "2.0", method: "notifications/initialized" }, session)).text();
  return { ...headers, ...session };
}
