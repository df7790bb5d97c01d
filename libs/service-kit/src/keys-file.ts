import { readFileSync } from "node:fs";
import { z } from "zod";

const keyBytesMin = 32;
const keysMax = 10;

/**
 * The path of a file of secret keys, read into the keys: at least 32 random bytes in base64 on each line, the current
 * one first. Earlier ones stay below it for as long as what was made with them has to be recognised.
 */
export const keysFile = z.string().transform((path, context): Uint8Array[] => {
  const refuse = (message: string): never => {
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  };
  let lines: string[];
  try {
    lines = readFileSync(path, "utf8")
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "");
  } catch {
    return refuse("the file cannot be read");
  }
  const keys = lines.map((line) => Buffer.from(line, "base64"));
  const isUsable =
    keys.length > 0 && keys.length <= keysMax && keys.every(({ length }) => length >= keyBytesMin);
  return isUsable
    ? keys
    : refuse(
        `each line of the file must hold at least ${keyBytesMin} random bytes in base64, the current key first`,
      );
});
