import { apiAudience, type Endpoint } from "@countersign/contracts";
import { describe, expect, it } from "vitest";
import { audienceOf, scopeWithDefaults } from "./audience.js";

const gateway = "https://gateway.example";
const endpoints = [{ name: "payments" } as Endpoint];

describe("the audience of a token", () => {
  it.each([
    "https://gateway.example/mcp/payments/",
    "https://gateway.example/mcp/Payments",
    "https://GATEWAY.example/mcp/payments",
    "https://gateway.example:443/mcp/payments",
    "https://gateway.example/mcp/payments?x=1",
    "https://gateway.example/mcp/other",
    "https://gateway.example/mcp/",
    "http://gateway.example/mcp/payments",
    "https://gateway.example/mcp/x/../payments",
    "urn:countersign:API",
    "",
  ])("is not %s", (resource) => {
    expect(audienceOf(resource, gateway, endpoints)).toBeUndefined();
  });

  it("is an endpoint by its exact address, or our own API", () => {
    expect(audienceOf("https://gateway.example/mcp/payments", gateway, endpoints)).toMatchObject({
      kind: "endpoint",
      endpoint: { name: "payments" },
    });
    expect(audienceOf(apiAudience, gateway, [])).toMatchObject({ kind: "api" });
  });
});

describe("the scope of a request", () => {
  it("always has what the audience understands, once", () => {
    expect(scopeWithDefaults(undefined)).toBe("mcp api");
    expect(scopeWithDefaults("")).toBe("mcp api");
    expect(scopeWithDefaults("openid mcp")).toBe("openid mcp api");
  });
});
