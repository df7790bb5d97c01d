import { describe, expect, it } from "vitest";
import { McpSessionIds } from "./mcp-session-id.js";

const ids = new McpSessionIds(Buffer.alloc(32, 1));

describe("an MCP session id", () => {
  const bound = ids.bind("up.1", "payments", "company:ada");

  it.each([
    ["another principal", bound, "payments", "company:bob"],
    ["another endpoint", bound, "ledger", "company:ada"],
    ["another upstream id", bound.replace("up.1", "up.2"), "payments", "company:ada"],
    ["a bare upstream id", "up.1", "payments", "company:ada"],
    ["an empty code", "up.1.", "payments", "company:ada"],
    [
      "another key",
      new McpSessionIds(Buffer.alloc(32, 2)).bind("up.1", "payments", "company:ada"),
      "payments",
      "company:ada",
    ],
  ])("does not open for %s", (_, id, endpoint, principal) => {
    expect(ids.open(id, endpoint, principal)).toBeUndefined();
  });

  it("opens for whom it was bound to, at any replica with the same key", () => {
    expect(new McpSessionIds(Buffer.alloc(32, 1)).open(bound, "payments", "company:ada")).toBe("up.1");
  });
});
