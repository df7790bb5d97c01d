import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { policiesPathOf } from "./policies-path.js";
import { readPolicyFolder } from "./policy-folder.js";
import { parseYaml } from "./yaml-file.js";

/**
 * Changes whenever the configuration file or one of its policies does, whether what they hold is right or not. Reads
 * the files instead of watching them: watching misses changes on mounted folders and swapped links.
 */
export const configurationFingerprint = async (path: string): Promise<string> => {
  const text = await readFile(path, "utf8").catch(() => undefined);
  const yaml = parseYaml("", text ?? "");
  const folder = Array.isArray(yaml)
    ? undefined
    : await readPolicyFolder(resolve(dirname(path), policiesPathOf(yaml.value)), "");
  return createHash("sha256")
    .update(JSON.stringify([text ?? null, folder]))
    .digest("hex");
};
