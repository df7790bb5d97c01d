import type { IncomingHttpHeaders } from "node:http";
import { Refusal } from "../refusal.js";
import type { JsonRpcMessage } from "./parse-message.js";

/** JSON-RPC's code for headers that do not say what the body says (MCP 2026-07-28, Streamable HTTP). */
export const headerMismatch = -32_020;

const versionKey = "io.modelcontextprotocol/protocolVersion";
const paramPrefix = "mcp-param-";

/**
 * From revision 2026-07-28 on, headers repeat what the body says, so that those on the way need not read it. Policy
 * decides by the body; a header that says something else could lead a router or the server elsewhere. So it is refused,
 * before policy is asked. What is missing is left to the server to miss. A parameter's header must repeat some argument;
 * which one, the tool's schema says, and the server checks.
 */
export function checkHeaders(headers: IncomingHttpHeaders, message: JsonRpcMessage): void {
  if (message.kind === "response") return;
  const version = metaOf(message.params)?.[versionKey];
  if (typeof version === "string") same("MCP-Protocol-Version", headers["mcp-protocol-version"], version);
  const method = headers["mcp-method"];
  if (method !== undefined) same("Mcp-Method", method, message.method);
  const params = isRecord(message.params) ? message.params : {};
  const name = headers["mcp-name"];
  if (name !== undefined) repeats("Mcp-Name", decoded("Mcp-Name", name), named(message.method, params));
  for (const [header, value] of Object.entries(headers)) {
    if (header.startsWith(paramPrefix)) repeats(header, decoded(header, value), params["arguments"]);
  }
}

/** What `Mcp-Name` names; for a method that nobody knows, anything that is among its parameters. */
function named(method: string, params: Record<string, unknown>): unknown {
  if (method === "tools/call" || method === "prompts/get") return params["name"];
  if (method.startsWith("resources/")) return params["uri"];
  return method.startsWith("tasks/") ? params["taskId"] : params;
}

function same(header: string, given: string | string[] | undefined, expected: string | undefined): void {
  if (given !== expected) throw mismatch(`The header ${header} does not say what the message says`);
}

const encoded = /^=\?base64\?(.*)\?=$/;

/** Header values that are no plain ASCII come as `=?base64?…?=`; whatever is not quite that is taken as it is. */
export function decoded(header: string, value: string | string[] | undefined): string {
  if (typeof value !== "string") throw mismatch(`The header ${header} is given twice`);
  const content = encoded.exec(value)?.[1];
  if (content === undefined) return value;
  const text = Buffer.from(content, "base64").toString("utf8");
  // Only what can be written back was read whole.
  if (Buffer.from(text).toString("base64") !== content) {
    throw mismatch(`The header ${header} is not the base64 of a text`);
  }
  return text;
}

function repeats(header: string, value: string, given: unknown): void {
  if (!holds(given, value)) throw mismatch(`The header ${header} does not say what the message says`);
}

/** Whether a value is, or is somewhere in, what is given. */
function holds(given: unknown, value: string): boolean {
  const left = [given];
  for (let next = left.pop(); left.length > 0 || next !== undefined; next = left.pop()) {
    if (typeof next === "object" && next !== null) left.push(...Object.values(next));
    else if (next === value || (typeof next !== "string" && String(next) === value)) return true;
  }
  return false;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const metaOf = (params: unknown): Record<string, unknown> | undefined => {
  const meta = isRecord(params) ? params["_meta"] : undefined;
  return isRecord(meta) ? meta : undefined;
};

const mismatch = (what: string): Refusal =>
  new Refusal("malformed", `${what}; send them alike.`, { httpStatus: 400, rpcCode: headerMismatch });
