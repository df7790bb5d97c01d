import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
} from "jose";

/** An issuer that signs whatever a test has it sign: of workloads, of assertions, of logout tokens. */
export interface TokenIssuer {
  readonly issuer: string;
  sign(claims: JWTPayload, header?: Partial<JWTHeaderParameters>): Promise<string>;
  /** What the token would be if somebody else had signed it in this issuer's name. */
  forge(claims: JWTPayload, header?: Partial<JWTHeaderParameters>): Promise<string>;
  stop(): void;
}

export async function startTokenIssuer(): Promise<TokenIssuer> {
  const [right, wrong] = await Promise.all([generateKeyPair("ES256"), generateKeyPair("ES256")]);
  const jwk = { ...(await exportJWK(right.publicKey)), kid: "1", alg: "ES256", use: "sig" };
  const server = createServer((request, response) => {
    const documents: Record<string, unknown> = {
      "/jwks": { keys: [jwk] },
      "/.well-known/openid-configuration": {
        issuer,
        authorization_endpoint: `${issuer}/auth`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/jwks`,
      },
    };
    const found = documents[request.url ?? ""];
    response.writeHead(found ? 200 : 404, { "content-type": "application/json" }).end(JSON.stringify(found));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const signWith =
    (key: CryptoKey) =>
    (claims: JWTPayload, header: Partial<JWTHeaderParameters> = {}): Promise<string> => {
      const now = Math.floor(Date.now() / 1_000);
      const payload = { iss: issuer, iat: now, exp: now + 60, ...claims };
      return new SignJWT(payload).setProtectedHeader({ alg: "ES256", kid: "1", ...header }).sign(key);
    };
  return {
    issuer,
    sign: signWith(right.privateKey),
    forge: signWith(wrong.privateKey),
    stop: () => server.close().closeAllConnections(),
  };
}
