import { CountersignError } from "@countersign/contracts";
import { readBounded } from "./read-bounded.js";

const answerMs = 5_000;
const answerBytesMax = 256 * 1024;

/** HashiCorp Vault did not do what it was asked for, or what it said is of no use. */
export class VaultFailed extends CountersignError {}

export interface VaultAnswer {
  readonly status: number;
  /** Undefined where it was no JSON. */
  readonly body: unknown;
}

/** Speaks to HashiCorp Vault's HTTP API. https://developer.hashicorp.com/vault/api-docs */
export class VaultClient {
  constructor(
    private readonly options: {
      readonly address: string;
      readonly namespace?: string | undefined;
      /** Asked at each use: the token may be renewed by an agent beside the service. */
      readonly token: () => string;
      /** The environment variable that holds the address, for errors. */
      readonly setting: string;
    },
  ) {}

  /**
   * Reads what is at a path below `/v1`, or writes to it where there is a body. Any status is an answer; redirects are
   * not followed, since the token would go along. Errors: VaultFailed (`vault_unavailable`) where no answer came whole.
   */
  async ask(path: string, body?: object): Promise<VaultAnswer> {
    const { address, namespace, token, setting } = this.options;
    const url = `${address.replace(/\/+$/, "")}/v1/${path.split("/").map(encodeURIComponent).join("/")}`;
    const headers = {
      "x-vault-token": token(),
      ...(namespace ? { "x-vault-namespace": namespace } : {}),
      ...(body ? { "content-type": "application/json" } : {}),
    };
    try {
      const answer = await fetch(url, {
        headers,
        redirect: "manual",
        signal: AbortSignal.timeout(answerMs),
        ...(body ? { method: "POST", body: JSON.stringify(body) } : {}),
      });
      const text = answer.body ? await readBounded(answer.body, answerBytesMax) : "";
      return { status: answer.status, body: jsonOf(text) };
    } catch (cause) {
      throw new VaultFailed("vault_unavailable", `Vault cannot be reached: look at ${setting}.`, { cause });
    }
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
