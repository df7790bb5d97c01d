import { VaultClient, VaultFailed } from "@countersign/service-kit";
import { z } from "zod";

/** A secret is asked for again after this long, so that a rotation is taken up without a restart. */
export const freshMs = 30_000;

const answerSchema = z.object({ data: z.object({ data: z.record(z.string(), z.unknown()) }) });

/**
 * Reads secrets from HashiCorp Vault's key-value store, version 2. What cannot be read again when it is due is not used
 * any longer. https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2#read-secret-version
 */
export class Vault {
  readonly #read = new Map<string, { fields: Promise<Record<string, unknown>>; at: number }>();

  constructor(
    private readonly options: {
      readonly address: string | undefined;
      readonly namespace?: string | undefined;
      /** Asked at each use: the token may be renewed by an agent beside the proxy. */
      readonly token: () => string | undefined;
      readonly now: () => number;
    },
  ) {}

  /** The path is the mount and what is below it, as in `vault kv get <mount>/<path>`. */
  async field(path: string, field: string): Promise<string> {
    const value = (await this.#fields(path))[field];
    if (typeof value === "string" && value !== "") return value;
    throw new VaultFailed("secret_missing", `Vault has no field ${field} at ${path}: write it there.`);
  }

  /** Has the next use read it again, as after an upstream refused it. */
  forget(path: string): void {
    this.#read.delete(path);
  }

  #fields(path: string): Promise<Record<string, unknown>> {
    const known = this.#read.get(path);
    const now = this.options.now();
    if (known && now - known.at < freshMs) return known.fields;
    const fields = this.#fetch(path);
    const read = { fields, at: now };
    this.#read.set(path, read);
    fields.catch(() => {
      if (this.#read.get(path) === read) this.#read.delete(path);
    });
    return fields;
  }

  async #fetch(path: string): Promise<Record<string, unknown>> {
    const { address, namespace, token: tokenOf } = this.options;
    const token = tokenOf();
    if (!address || !token) {
      throw new VaultFailed(
        "vault_not_configured",
        "An upstream's secret is in Vault: set VAULT_ADDR, and VAULT_TOKEN or VAULT_TOKEN_FILE, for the proxy.",
      );
    }
    const client = new VaultClient({ address, namespace, token: () => token, setting: "VAULT_ADDR" });
    const [mount = "", ...below] = path.split("/");
    const { status, body } = await client.ask([mount, "data", ...below].join("/"));
    if (status === 404) throw new VaultFailed("secret_missing", `Vault has nothing at ${path}.`);
    if (status !== 200) {
      throw new VaultFailed(
        "vault_refused",
        `Vault answered ${status} for ${path}: look at the proxy's Vault token and its policy.`,
      );
    }
    const parsed = answerSchema.safeParse(body);
    if (parsed.success) return parsed.data.data.data;
    throw new VaultFailed("vault_refused", `What Vault has at ${path} is no secret of a version 2 store.`);
  }
}
