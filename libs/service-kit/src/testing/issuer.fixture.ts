import { generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { apiAudience, type Principal } from "@countersign/contracts";

const tokenSeconds = 300;

/** An issuer of access tokens for the services' own APIs: one key, one JWKS. */
export class TestIssuer {
  readonly #keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  #server: Server | undefined;
  url = "";

  async start(): Promise<this> {
    const jwk = { ...this.#keys.publicKey.export({ format: "jwk" }), kid: "1", alg: "ES256", use: "sig" };
    const server = createServer((_, response) => {
      response.setHeader("content-type", "application/json").end(JSON.stringify({ keys: [jwk] }));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return this;
  }

  stop(): void {
    this.#server?.close();
  }

  token({ id: sub, ...claims }: Principal): string {
    const iat = Math.floor(Date.now() / 1_000);
    const about = { iss: this.url, aud: apiAudience, iat, exp: iat + tokenSeconds, jti: randomUUID() };
    const input = [
      { alg: "ES256", typ: "at+jwt", kid: "1" },
      { ...claims, sub, ...about },
    ]
      .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
      .join(".");
    const key = { key: this.#keys.privateKey, dsaEncoding: "ieee-p1363" } as const;
    return `${input}.${sign("sha256", Buffer.from(input), key).toString("base64url")}`;
  }
}
