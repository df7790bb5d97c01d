import { describe, expect, it } from "vitest";
import { isAllowedRedirect, privateUseScheme } from "./redirect-uri.js";

describe("a redirect address", () => {
  it.each([
    "http://example.com/callback",
    "http://127.0.0.1.example.com/callback",
    "http://localhost.example.com/callback",
    "http://127.0.0.2/callback",
    "http://10.0.0.1/callback",
    "https://user:password@example.com/callback",
    "https://example.com/callback#fragment",
    "https://*.example.com/callback",
    "http://127.0.0.1/*",
    "//example.com/callback",
    "not an address",
    `https://example.com/${"a".repeat(2_000)}`,
    undefined,
    7,
  ])("is not %s", (uri) => {
    expect(isAllowedRedirect(uri)).toBe(false);
  });

  it.each([
    "https://example.com/callback",
    "http://127.0.0.1:33418/",
    "http://localhost/callback",
    "http://[::1]:8080/callback",
    "https://vscode.dev/redirect",
    "https://www.cursor.com/agents/mcp/oauth/callback",
  ])("may be %s", (uri) => {
    expect(isAllowedRedirect(uri)).toBe(true);
    expect(privateUseScheme(uri)).toBeUndefined();
  });
});

describe("a redirect address of a private-use scheme", () => {
  it.each([
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "java\nscript:alert(1)",
    " javascript:alert(1)",
    "javascript://example/%0aalert(1)",
    "javascript:/x",
    "data:text/html,x",
    "data://text/html,x",
    "vbscript://x/y",
    "file:///etc/passwd",
    "file://server/share",
    "blob:https://example.com/1",
    "blob://example.com/1",
    "filesystem:https://example.com/temporary/x",
    "about:blank",
    "about://blank/x",
    "view-source:https://example.com/",
    "ws://example.com/callback",
    "wss://example.com/callback",
    "ftp://example.com/callback",
    "mailto:ada@example.com",
    "mailto://ada.example.com/x",
    "intent://scan/#Intent;scheme=x;end",
    "ms-msdt:/id",
    "search-ms://query/x",
    "smb://server/share",
    "chrome-extension://abc/callback",
  ])("is not %j, whose scheme is somebody's already", (uri) => {
    expect(isAllowedRedirect(uri)).toBe(false);
  });

  it.each([
    ["has a fragment", "cursor://anysphere.cursor-mcp/oauth/callback#x"],
    ["has an empty fragment", "cursor://anysphere.cursor-mcp/oauth/callback#"],
    ["has a wildcard for a host", "cursor://*/oauth/callback"],
    ["has a wildcard in its path", "cursor://anysphere.cursor-mcp/*"],
    ["has credentials", "cursor://user:password@anysphere.cursor-mcp/callback"],
    ["has neither authority nor path", "cursor:"],
    ["has an empty authority", "cursor://"],
    ["has nothing but a slash", "cursor:/"],
    ["has a path without a slash", "cursor:callback"],
    ["is written otherwise than it is opened", "CURSOR://anysphere.cursor-mcp/oauth/callback"],
    ["leaves its path", "cursor://anysphere.cursor-mcp/oauth/../callback"],
    ["has a line break in it", "cursor://anysphere.cursor-mcp/oauth\n/callback"],
    ["has a space before it", " cursor://anysphere.cursor-mcp/oauth/callback"],
    ["is too long", `cursor://${"a".repeat(2_000)}/`],
  ])("is refused where it %s", (_, uri) => {
    expect(isAllowedRedirect(uri)).toBe(false);
  });

  it.each([
    ["cursor://anysphere.cursor-mcp/oauth/callback", "cursor"],
    ["com.example.app:/oauth2redirect", "com.example.app"],
    ["vscode://vendor.extension/callback?profile=a", "vscode"],
    ["myapp://callback", "myapp"],
    ["myapp:///callback", "myapp"],
  ])("may be %s", (uri, scheme) => {
    expect(isAllowedRedirect(uri)).toBe(true);
    expect(privateUseScheme(uri)).toBe(scheme);
  });
});
