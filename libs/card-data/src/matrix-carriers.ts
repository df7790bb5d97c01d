/** How a message is written, and so how it is searched. An event's data is JSON. */
export type Form = "text" | "json" | "sse";

interface Carrier {
  form: Form;
  /** Nothing where a number written so cannot be carried. */
  carry: (card: string, digits: string) => string | undefined;
  /** How often it holds the card. */
  times?: number;
}

const json = (carry: (card: string) => unknown): Carrier => ({
  form: "json",
  carry: (card) => JSON.stringify(carry(card)),
});
const text = (carry: (card: string) => string): Carrier => ({ form: "text", carry });

/** What a message of the Model Context Protocol says, besides its version and id. */
const result = (carry: (card: string) => unknown): Carrier =>
  json((card) => ({ jsonrpc: "2.0", id: 1, result: carry(card) }));
const error = (carry: (card: string) => unknown): Carrier =>
  json((card) => ({ jsonrpc: "2.0", id: 1, error: carry(card) }));

export const CARRIERS: Record<string, Carrier> = {
  text: text((card) => card),
  sentence: text((card) => `Please charge ${card}, not the other one.`),
  "log line": text((card) => `2026-11-22T12:00:00Z INFO charge id=42 ref=${card};status=ok`),
  "glued to letters": text((card) => `ref${card}x`),
  "glued to underscores": text((card) => `ref_${card}_x`),
  "query string": text((card) => `https://example.com/pay?ref=${card}&amount=10`),
  "CSV row": text((card) => `17,Jane,${card},EUR`),
  "JSON string": json((card) => ({ ref: card })),
  "JSON number": {
    form: "json",
    carry: (card, digits) => (card === digits && !card.startsWith("0") ? `{"ref":${digits}}` : undefined),
  },
  "JSON key": json((card) => ({ [card]: 1 })),
  "JSON array": json((card) => ["a", [card]]),
  "JSON in a string": json((card) => ({ text: JSON.stringify({ ref: card }) })),
  "JSON twice in a string": json((card) => ({
    text: JSON.stringify({ body: JSON.stringify({ ref: card }) }),
  })),
  base64: json((card) => ({ blob: base64(card) })),
  "base64 of a text": json((card) => ({ blob: base64(`number: ${card} ok`) })),
  "base64url of JSON": json((card) => ({
    blob: Buffer.from(JSON.stringify({ ref: card })).toString("base64url"),
  })),
  "tool argument": json((card) => ({
    jsonrpc: "2.0",
    id: 1,
    method: "tools/call",
    params: { name: "find", arguments: { ref: card } },
  })),
  "tool result": result((card) => ({ content: [{ type: "text", text: `Row 1: ${card}` }] })),
  "structured content": result((card) => ({
    content: [{ type: "text", text: "1 row" }],
    structuredContent: { rows: [{ id: 7, ref: card }] },
  })),
  "structured and as text": {
    ...result((card) => {
      const structuredContent = { rows: [{ id: 7, ref: card }] };
      return { content: [{ type: "text", text: JSON.stringify(structuredContent) }], structuredContent };
    }),
    times: 2,
  },
  "resource, text": result((card) => ({
    contents: [{ uri: "file:///notes.txt", mimeType: "text/plain", text: `Notes\nSend to ${card}\n` }],
  })),
  "resource, blob": result((card) => ({
    contents: [
      { uri: "file:///notes.txt", mimeType: "text/plain", blob: base64(`Notes\nSend to ${card}\n`) },
    ],
  })),
  "error message": error((card) => ({ code: -32603, message: `Could not charge ${card}.` })),
  "error data": error((card) => ({ code: -32602, message: "Invalid params", data: { received: [card] } })),
  "SSE event": {
    form: "sse",
    carry: (card) => {
      const params = { level: "info", data: { ref: card } };
      return `event: message\nid: 7\ndata: ${JSON.stringify({ jsonrpc: "2.0", method: "notifications/message", params })}\n\n`;
    },
  },
  "SSE, data over lines": {
    form: "sse",
    carry: (card) => {
      const message = { jsonrpc: "2.0", id: 1, result: { content: [{ type: "text", text: card }] } };
      const lines = JSON.stringify(message, undefined, 1).split("\n");
      return `: ping\n${lines.map((line) => `data: ${line}\n`).join("")}\n`;
    },
  },
};

function base64(value: string): string {
  return Buffer.from(value).toString("base64");
}
