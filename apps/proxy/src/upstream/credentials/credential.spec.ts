import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { UpstreamCredential } from "@countersign/contracts";
import { describeError } from "@countersign/service-kit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ProxyConfig, vaultToken } from "../../config.js";
import { credentialOf } from "./credential.js";
import { Secrets } from "./secrets.js";
import { Vault } from "./vault.js";

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "countersign-secrets-"));
  file = join(folder, "secret");
  await writeFile(file, "canary-one\n");
});
afterEach(() => rm(folder, { recursive: true }));

const made = (credential: UpstreamCredential) =>
  credentialOf(credential, {
    secrets: new Secrets(new Vault({ address: undefined, token: () => undefined, now: () => 0 })),
    fetchToken: () => Promise.reject(new Error("not asked for")),
    now: () => 0,
    failed: () => undefined,
    renewed: () => undefined,
  });
const bearer = () => made({ type: "bearer", token: { file } });

describe("a credential", () => {
  it.each([
    ["would add a header", "canary\r\nx-admin: yes"],
    ["is no text of a header", "canary-\u20ac"],
    ["is empty", ""],
  ])("is none where its secret %s, and the error does not hold it", async (_, secret) => {
    await writeFile(file, secret);
    const error: unknown = await bearer()
      .issue()
      .catch((error: unknown) => error);
    expect(describeError(error)).toMatch(/secret_(unusable|missing)/);
    expect(describeError(error)).not.toContain("canary");
  });

  it("is not another one where nobody replaced it, and is where somebody did", async () => {
    const credential = bearer();
    const issued = await credential.issue();
    expect(await credential.reissue(issued)).toBeUndefined();
    await writeFile(file, "canary-two\n");
    expect((await credential.reissue(issued))?.headers).toEqual({ authorization: "Bearer canary-two" });
    expect((await credential.issue()).headers).toEqual({ authorization: "Bearer canary-two" });
  });

  it.each<[UpstreamCredential["type"], () => UpstreamCredential, Record<string, string>]>([
    ["none", () => ({ type: "none" }), {}],
    ["header", () => ({ type: "header", name: "X-Api-Key", value: { file } }), { "x-api-key": "canary-one" }],
    [
      "basic",
      () => ({ type: "basic", username: "u", password: { file } }),
      { authorization: `Basic ${Buffer.from("u:canary-one").toString("base64")}` },
    ],
  ])("of type %s is a header, and tells what must not come back", async (_, credential, headers) => {
    const issued = await made(credential()).issue();
    expect(issued.headers).toEqual(headers);
    for (const value of Object.values(headers)) {
      expect(issued.secrets.some((secret) => value.includes(secret))).toBe(true);
    }
  });

  it("of Vault itself is read at each use, so that an agent can renew it", async () => {
    const config = { VAULT_TOKEN: "fixed", VAULT_TOKEN_FILE: file } as unknown as ProxyConfig;
    expect(vaultToken(config)).toBe("canary-one");
    await writeFile(file, "canary-two");
    expect(vaultToken(config)).toBe("canary-two");
    expect(vaultToken({ VAULT_TOKEN: "fixed" } as unknown as ProxyConfig)).toBe("fixed");
  });
});
