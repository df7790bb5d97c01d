import { describe, expect, it } from "vitest";
import { metadataProblem, takenMetadata } from "./client-metadata.js";

describe("a client's description of itself", () => {
  it("is refused as soon as one of its addresses is", () => {
    const good = "http://127.0.0.1/callback";
    expect(metadataProblem({ redirect_uris: [good] })).toBeUndefined();
    expect(metadataProblem({ redirect_uris: [good, "http://example.com/"] })).toContain("RFC 8252");
    expect(metadataProblem({})).toContain("redirect_uris");
    expect(metadataProblem({ redirect_uris: Array.from({ length: 11 }, () => good) })).toContain("at most");
  });

  it("cannot ask for secrets, other grants, other flows, or addresses to be fetched", () => {
    expect(
      takenMetadata({
        client_id: "c",
        client_secret: "s",
        client_secret_expires_at: 0,
        redirect_uris: ["https://example.com/callback"],
        grant_types: ["implicit", "refresh_token", "urn:ietf:params:oauth:grant-type:token-exchange"],
        response_types: ["token"],
        token_endpoint_auth_method: "client_secret_basic",
        sector_identifier_uri: "https://10.0.0.1/",
        jwks_uri: "https://10.0.0.1/",
        logo_uri: "https://10.0.0.1/",
        scope: "everything",
        id_token_signed_response_alg: "RS256",
      }),
    ).toEqual({
      client_id: "c",
      redirect_uris: ["https://example.com/callback"],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
      application_type: "web",
    });
  });

  it("has a name of one visible line", () => {
    const { client_name: name } = takenMetadata({ client_name: `A\n\u202Eevil\u0000${"x".repeat(200)}` });
    expect(name).toMatch(/^A evil x+$/);
    expect(String(name).length).toBeLessThanOrEqual(100);
  });

  it("makes it a public client whatever it asks for, also where a scheme of its own leads to it", () => {
    expect(
      takenMetadata({
        redirect_uris: ["cursor://anysphere.cursor-mcp/oauth/callback"],
        token_endpoint_auth_method: "client_secret_basic",
        client_secret: "s",
        application_type: "web",
      }),
    ).toEqual({
      redirect_uris: ["cursor://anysphere.cursor-mcp/oauth/callback"],
      grant_types: ["authorization_code"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
      application_type: "native",
    });
  });

  it("makes it native where it listens on the person's own machine", () => {
    expect(
      takenMetadata({ redirect_uris: ["https://vscode.dev/redirect", "http://127.0.0.1:1/"] }),
    ).toMatchObject({
      application_type: "native",
    });
  });
});
