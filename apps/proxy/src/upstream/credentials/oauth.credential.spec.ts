import { beforeEach, describe, expect, it } from "vitest";
import { aheadMsMax, OAuthCredential, restMs } from "./oauth.credential.js";
import { Secrets } from "./secrets.js";
import { Vault } from "./vault.js";

const lifetimeMs = 600_000;
let now: number;
let asked: number;
let answer: () => Promise<string>;
let failures: unknown[];
let credential: OAuthCredential;

beforeEach(() => {
  now = 0;
  asked = 0;
  failures = [];
  answer = async () => `token-${asked}`;
  process.env["TEST_CLIENT_SECRET"] = "s";
  const vault = new Vault({ address: undefined, token: () => undefined, now: () => now });
  credential = new OAuthCredential(
    {
      type: "oauth",
      tokenUrl: "https://idp.example/token",
      clientId: "gateway",
      clientSecret: { env: "TEST_CLIENT_SECRET" },
    },
    {
      secrets: new Secrets(vault),
      fetchToken: async () => {
        asked += 1;
        return { value: await answer(), lifetimeMs };
      },
      now: () => now,
      failed: (error) => failures.push(error),
      renewed: () => undefined,
    },
  );
});

const refuse = () => {
  answer = () => Promise.reject(new Error("refused"));
};
const token = async () => (await credential.issue()).headers["authorization"];
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("a credential by OAuth", () => {
  it("is none once it expired and cannot be renewed", async () => {
    await token();
    now = lifetimeMs;
    refuse();
    await expect(token()).rejects.toThrow("refused");
  });

  it("is not asked for again by everyone while the token endpoint fails", async () => {
    refuse();
    for (let i = 0; i < 10; i++) await expect(token()).rejects.toThrow("refused");
    expect(asked).toBe(1);
    now = restMs;
    await expect(token()).rejects.toThrow("refused");
    expect(asked).toBe(2);
  });

  it("is asked for once by many at a time", async () => {
    expect(new Set(await Promise.all(Array.from({ length: 20 }, token)))).toEqual(
      new Set(["Bearer token-1"]),
    );
    expect(asked).toBe(1);
  });

  it("is renewed before it expires, while nobody waits", async () => {
    await token();
    now = lifetimeMs - aheadMsMax;
    expect(await token()).toBe("Bearer token-1");
    await settled();
    expect(await token()).toBe("Bearer token-2");
    expect(asked).toBe(2);
  });

  it("is loud about a renewal that fails while it still holds", async () => {
    await token();
    now = lifetimeMs - aheadMsMax;
    refuse();
    expect(await token()).toBe("Bearer token-1");
    await settled();
    expect(failures).toEqual([new Error("refused")]);
  });

  it("is another one after an upstream refused it, for all who were refused, with one request", async () => {
    const refused = await credential.issue();
    const [a, b] = await Promise.all([credential.reissue(refused), credential.reissue(refused)]);
    expect([a?.headers, b?.headers]).toEqual([
      { authorization: "Bearer token-2" },
      { authorization: "Bearer token-2" },
    ]);
    expect((await credential.reissue(refused))?.headers).toEqual({ authorization: "Bearer token-2" });
    expect(asked).toBe(2);
  });
});
