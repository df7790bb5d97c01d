import { describe, expect, it } from "vitest";
import { Refusal } from "../refusal.js";
import { checkHeaders, headerMismatch } from "./check-headers.js";
import { classify } from "./parse-message.js";

const version = "2026-07-28";
const message = classify({
  jsonrpc: "2.0",
  id: 1,
  method: "tools/call",
  params: {
    name: "refund",
    arguments: { region: "us", deep: [{ amount: 42, yes: true }], city: "Zürich" },
    _meta: { "io.modelcontextprotocol/protocolVersion": version },
  },
})!;
const honest = { "mcp-protocol-version": version, "mcp-method": "tools/call", "mcp-name": "refund" };
const check = (headers: Record<string, string>): void => checkHeaders({ ...honest, ...headers }, message);

describe("headers that repeat the message", () => {
  it.each([
    ["another version", { "mcp-protocol-version": "2025-11-25" }],
    ["another method", { "mcp-method": "tools/list" }],
    ["a method in other letters", { "mcp-method": "Tools/Call" }],
    ["another name", { "mcp-name": "lookup" }],
    ["an argument in the place of the name", { "mcp-name": "us" }],
    ["another argument", { "mcp-param-region": "eu" }],
    ["broken base64", { "mcp-param-city": "=?base64?Zz=g?=" }],
    ["another value in base64", { "mcp-param-city": "=?base64?ZXU=?=" }],
  ])("are refused with the code for it: %s", (_, headers) => {
    expect(() => check(headers)).toThrow(
      expect.objectContaining({ httpStatus: 400, rpcCode: headerMismatch }) as Refusal,
    );
  });

  it("are refused where the message names a version and the header does not", () => {
    expect(() => checkHeaders({ "mcp-method": "tools/call" }, message)).toThrow(Refusal);
  });

  it("pass where they say the same", () => {
    const city = `=?base64?${Buffer.from("Zürich").toString("base64")}?=`;
    const params = { "mcp-param-region": "us", "mcp-param-amount": "42", "mcp-param-yes": "true" };
    expect(() => check({ ...params, "mcp-param-city": city })).not.toThrow();
    expect(() =>
      checkHeaders(
        { "mcp-param-x": "=?base64?AA==" },
        classify({
          jsonrpc: "2.0",
          id: 1,
          method: "tools/call",
          params: { arguments: { x: "=?base64?AA==" } },
        })!,
      ),
    ).not.toThrow();
    const legacy = classify({ jsonrpc: "2.0", id: 1, method: "ping" })!;
    expect(() => checkHeaders({}, legacy)).not.toThrow();
  });

  it("may name whatever an unknown method has among its parameters", () => {
    const unknown = classify({ jsonrpc: "2.0", id: 1, method: "vendor/do", params: { thing: "a" } })!;
    expect(() => checkHeaders({ "mcp-name": "a" }, unknown)).not.toThrow();
    expect(() => checkHeaders({ "mcp-name": "b" }, unknown)).toThrow(Refusal);
  });
});
