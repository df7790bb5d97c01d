import {
  CountersignError,
  type EnvironmentValue,
  type UpstreamSecretReference,
} from "@countersign/contracts";
import { readSecret } from "../../config.js";
import type { Vault } from "./vault.js";

/** Finds secrets where their references point, at each use: a rotated one needs no restart. */
export class Secrets {
  constructor(private readonly vault: Vault) {}

  async read(reference: UpstreamSecretReference): Promise<string> {
    if ("vault" in reference) return this.vault.field(reference.vault.path, reference.vault.field);
    return readSecret(reference);
  }

  /** A secret that goes into a header. */
  async readForHeader(reference: UpstreamSecretReference): Promise<string> {
    const secret = await this.read(reference);
    if (/^[\x20-\x7e]+$/.test(secret)) return secret;
    throw new CountersignError(
      "secret_unusable",
      "An upstream's secret holds characters that cannot be sent in a header: write it anew where it is kept.",
    );
  }

  async readValue(value: EnvironmentValue): Promise<string> {
    return "value" in value ? value.value : this.read(value);
  }

  forget(reference: UpstreamSecretReference): void {
    if ("vault" in reference) this.vault.forget(reference.vault.path);
  }
}
