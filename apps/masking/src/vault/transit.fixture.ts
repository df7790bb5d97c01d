import { constants, generateKeyPairSync, type KeyObject, privateDecrypt } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

const vaultForm = /^vault:v(\d+):(.+)$/;

interface Pair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** RSA keys take long to make, so every stand-in of a process has the same ones. */
const pairs = new Map<string, Pair>();

function pairOf(modulusLength: number, place: number): Pair {
  const name = `${modulusLength}/${place}`;
  const pair = pairs.get(name) ?? generateKeyPairSync("rsa", { modulusLength });
  pairs.set(name, pair);
  return pair;
}

/** The part of HashiCorp Vault's transit engine that the vault needs, with real RSA keys and Vault's own answers. */
export class TransitStandIn {
  /** Of the one key there is. */
  readonly settings = {
    type: "rsa-3072",
    exportable: false,
    allow_plaintext_backup: false,
    min_decryption_version: 1,
  };
  token = "hvs.canary-token";
  /** What the token's policy permits. */
  permitted = new Set(["keys", "decrypt"]);
  sealed = false;
  /** A public key to show in place of the newest one. */
  shown: KeyObject | undefined;
  readonly asked: string[] = [];
  readonly #versions: Pair[] = [];
  readonly #server = createServer((request, response) => {
    void this.#answer(request).then(([status, body]) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body)),
    );
  });

  constructor(
    public name: string,
    private readonly mount = "transit",
  ) {
    this.rotate();
  }

  rotate(modulusLength = 3_072): void {
    this.#versions.push(pairOf(modulusLength, this.#versions.length));
  }

  publicKey(version: number): KeyObject {
    const pair = this.#versions[version - 1];
    if (!pair) throw new RangeError("no such version");
    return pair.publicKey;
  }

  /** Answers its address. */
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => void this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage): Promise<[number, unknown]> {
    let text = "";
    for await (const chunk of request) text += String(chunk);
    this.asked.push(`${request.method} ${request.url}`);
    if (this.sealed) return [503, { errors: ["Vault is sealed"] }];
    const route = /^\/v1\/(.+)\/(keys|decrypt)\/([^/]+)$/.exec(request.url ?? "");
    const [, mount, action = "", name] = route ?? [];
    if (request.headers["x-vault-token"] !== this.token || !this.permitted.has(action)) {
      return [403, { errors: ["1 error occurred:\n\t* permission denied\n\n"] }];
    }
    if (mount !== this.mount) return [404, { errors: [`no handler for route "${request.url}"`] }];
    if (request.method === "GET" && action === "keys") {
      return name === this.name ? [200, this.#key()] : [404, { errors: [] }];
    }
    if (request.method !== "POST" || action !== "decrypt")
      return [405, { errors: ["unsupported operation"] }];
    if (name !== this.name) return [400, { errors: ["encryption key not found"] }];
    return this.#decrypt((JSON.parse(text) as { ciphertext: string }).ciphertext);
  }

  #key(): unknown {
    const { settings } = this;
    const shown = this.#versions.map(({ publicKey }, place) => [
      String(place + 1),
      {
        certificate_chain: "",
        creation_time: "2026-11-22T09:00:00.000000000Z",
        name: settings.type,
        public_key: (place === this.#versions.length - 1 ? (this.shown ?? publicKey) : publicKey).export({
          format: "pem",
          type: "spki",
        }),
      },
    ]);
    return {
      request_id: "6c1f3a8e-0000-4000-8000-000000000000",
      lease_id: "",
      renewable: false,
      lease_duration: 0,
      data: {
        ...settings,
        auto_rotate_period: 0,
        deletion_allowed: false,
        derived: false,
        imported_key: false,
        keys: Object.fromEntries(
          shown.filter(([version]) => Number(version) >= settings.min_decryption_version),
        ) as unknown,
        latest_version: this.#versions.length,
        min_available_version: 0,
        min_encryption_version: 0,
        name: this.name,
        supports_decryption: true,
        supports_derivation: false,
        supports_encryption: true,
        supports_signing: true,
      },
      wrap_info: null,
      warnings: null,
      auth: null,
      mount_type: "transit",
    };
  }

  #decrypt(ciphertext: string): [number, unknown] {
    const [, digits, body = ""] = vaultForm.exec(ciphertext) ?? [];
    const version = Number(digits);
    const pair = this.#versions[version - 1];
    if (!digits) return [400, { errors: ["invalid ciphertext: no prefix"] }];
    if (!pair) return [400, { errors: ["invalid ciphertext: version is too new"] }];
    if (version < this.settings.min_decryption_version) {
      return [400, { errors: ["ciphertext or signature version is disallowed by policy (too old)"] }];
    }
    try {
      const plaintext = privateDecrypt(
        { key: pair.privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" },
        Buffer.from(body, "base64"),
      );
      return [200, { data: { plaintext: plaintext.toString("base64") } }];
    } catch {
      return [400, { errors: ["failed to RSA decrypt the ciphertext: crypto/rsa: decryption error"] }];
    }
  }
}
