import { describe, expect, it } from "vitest";
import { postUrl } from "./endpoint-event.js";

const stream = "https://mcp.example/base/sse";

describe("the endpoint event of a stream", () => {
  it.each([
    ["another host", "https://evil.example/messages"],
    ["another host without a scheme", "//evil.example/messages"],
    ["another port", "https://mcp.example:8443/messages"],
    ["another scheme", "http://mcp.example/messages"],
    ["a password", "https://a:b@mcp.example/messages"],
    ["no URL", "http://"],
    ["a script", "javascript:alert(1)"],
    ["nothing", undefined],
  ])("is not followed to %s", (_, data) => {
    expect(postUrl(stream, data)).toBeUndefined();
  });

  it.each([
    ["/messages?sessionId=1", "https://mcp.example/messages?sessionId=1"],
    ["messages", "https://mcp.example/base/messages"],
    ["https://mcp.example/messages", "https://mcp.example/messages"],
  ])("leads to %s on the same origin", (data, url) => {
    expect(postUrl(stream, data)).toBe(url);
  });
});
