import { createPrivateKey } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { secretsIn } from "./secrets.js";

describe("the secrets of a data folder", () => {
  let folder: string;
  beforeEach(async () => {
    folder = join(await mkdtemp(join(tmpdir(), "countersign-secrets-")), "secrets");
  });
  afterEach(() => rm(join(folder, ".."), { recursive: true }));

  it("can be read by their owner alone", async () => {
    await (await secretsIn(folder)).databasePassword("audit");
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    for (const name of await readdir(folder)) {
      expect([name, (await stat(join(folder, name))).mode & 0o777]).toEqual([name, 0o600]);
    }
  });

  it("differ from folder to folder and stay the same in one", async () => {
    const first = await secretsIn(folder);
    const again = await secretsIn(folder);
    const other = await secretsIn(`${folder}-other`);
    expect(again.paymentsUpstreamToken).toBe(first.paymentsUpstreamToken);
    expect(other.paymentsUpstreamToken).not.toBe(first.paymentsUpstreamToken);
    expect(await again.databasePassword("audit")).toBe(await first.databasePassword("audit"));
    expect(await first.databasePassword("audit")).not.toBe(await first.databasePassword("masking"));
  });

  it("are keys of the kinds that the services expect", async () => {
    const { files } = await secretsIn(folder);
    const checkpointKey = createPrivateKey(await readFile(files.checkpointKey, "utf8"));
    expect(checkpointKey.asymmetricKeyType).toBe("ed25519");
    expect(Buffer.from(await readFile(files.fingerprintKey, "utf8"), "base64")).toHaveLength(32);
    expect(JSON.parse(await readFile(files.identityKeys, "utf8"))).toMatchObject({
      keys: [
        { kty: "EC", crv: "P-256", alg: "ES256", use: "sig", kid: expect.any(String), d: expect.any(String) },
      ],
    });
    expect(JSON.parse(await readFile(files.vaultKeys, "utf8"))).toMatchObject({
      keys: [{ kty: "EC", crv: "P-256", alg: "ECDH-ES", use: "enc", d: expect.any(String) }],
    });
  });
});
