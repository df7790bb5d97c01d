import { readFile } from "node:fs/promises";
import { CountersignError } from "@countersign/contracts";
import { Command } from "commander";
import {
  type KeyFile,
  KeyFileRefused,
  type KeyShown,
  keysShown,
  parseKeyFile,
  rotated,
  textOf,
} from "../keys/key-file.js";
import { replaceFile } from "../keys/replace-file.js";
import { printable } from "../printable.js";

const tokenVariable = "COUNTERSIGN_TOKEN";

export const keysRotateCommand = (): Command =>
  new Command("rotate")
    .description("Puts a new current key before those that a key file has.")
    .argument("<file>", "VAULT_KEYS_FILE or FINGERPRINT_KEY_FILE")
    .action(async (path: string) => void process.stdout.write(await rotateKeys(path, new Date())));

export const keysShowCommand = (): Command =>
  new Command("show")
    .description("Which keys a key file has, and which of the vault's former ones can be taken out.")
    .argument("<file>", "VAULT_KEYS_FILE or FINGERPRINT_KEY_FILE")
    .option(
      "--masking <url>",
      `ask the masking service what they still open; ${tokenVariable} holds your token`,
    )
    .action(async (path: string, { masking }: { masking?: string }) => {
      const usage = masking === undefined ? undefined : await usageAt(masking, process.env[tokenVariable]);
      process.stdout.write(await showKeys(path, usage));
    });

/** Answers what to do next. Errors: KeyFileRefused. */
export async function rotateKeys(path: string, now: Date): Promise<string> {
  const file = rotated(parseKeyFile(await textAt(path)), now);
  await replaceFile(path, textOf(file));
  const [current] = keysShown(file);
  return `${printable(path)} has a new current key: ${current?.keyId ?? ""}.\n${nextSteps[file.kind]}`;
}

const nextSteps: Readonly<Record<KeyFile["kind"], string>> = {
  vault: `1. Restart the masking service. It publishes the new key, and wraps what it holds to it.
2. Sessions that have begun still use the former key, for a day at the most. After that, see
   \`countersign keys show <file> --masking <url>\` and take out the keys that open nothing more.
`,
  fingerprint: `1. Give the file to the audit service first, then to masking and all proxies, and restart them in this order.
2. Keep the former keys for as long as records made with them are to be found by card.
`,
};

interface Usage {
  readonly keyId: string;
  readonly present: boolean;
  readonly sessionKeys: number;
}

export async function showKeys(path: string, usage?: readonly Usage[]): Promise<string> {
  const file = parseKeyFile(await textAt(path));
  const lines = keysShown(file).map((key) => lineOf(key, usage));
  const missing = (usage ?? []).filter(({ present, sessionKeys }) => !present && sessionKeys > 0);
  return [
    ...lines,
    ...missing.map(
      ({ keyId, sessionKeys }) =>
        `${printable(keyId)}  NOT IN THE SERVICE'S FILE, would open ${sessionKeys} sessions`,
    ),
  ]
    .map((line) => `${line}\n`)
    .join("");
}

function lineOf({ keyId, current, created }: KeyShown, usage: readonly Usage[] | undefined): string {
  const parts = [printable(keyId), current ? "current" : "former"];
  if (created !== undefined) parts.push(`made ${printable(created)}`);
  if (usage) {
    const opens = usage.find((used) => used.keyId === keyId)?.sessionKeys ?? 0;
    parts.push(`opens ${opens} sessions`);
    if (!current && opens === 0) parts.push("can be taken out a day after the next key came");
  }
  return parts.join("  ");
}

class UsageUnknown extends CountersignError {
  constructor(reason: string, options?: { cause?: unknown }) {
    super("usage_unknown", `The masking service did not say what its keys open: ${reason}.`, options);
  }
}

async function usageAt(masking: string, token: string | undefined): Promise<Usage[]> {
  if (!token) throw new UsageUnknown(`set ${tokenVariable} to an administrator's access token`);
  const response = await fetch(new URL("/vault-keys", masking), {
    headers: { authorization: `Bearer ${token}` },
  }).catch((cause: unknown) => {
    throw new UsageUnknown("it cannot be reached", { cause });
  });
  if (!response.ok) throw new UsageUnknown(`HTTP ${response.status}`);
  return (await response.json()) as Usage[];
}

const textAt = (path: string): Promise<string> =>
  readFile(path, "utf8").catch((cause: unknown) => {
    throw new KeyFileRefused("cannot be read", { cause });
  });
