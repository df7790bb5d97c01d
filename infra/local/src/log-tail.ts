import { open } from "node:fs/promises";

const tailBytesMax = 64 * 1024;

/** The last lines of a log file, or none when it cannot be read. */
export async function logTail(file: string, linesMax = 20): Promise<string[]> {
  try {
    await using handle = await open(file, "r");
    const { size } = await handle.stat();
    const length = Math.min(size, tailBytesMax);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, size - length);
    const lines = buffer.toString("utf8", 0, bytesRead).trimEnd().split("\n");
    return lines.filter((line) => line !== "").slice(-linesMax);
  } catch {
    return [];
  }
}

/** The end of a log as an indented block to put under an error, each line prefixed with the program's name. */
export async function quoteLog(name: string, file: string): Promise<string> {
  const lines = await logTail(file);
  if (lines.length === 0) return ` It wrote no log (${file}).`;
  return [` Its last lines (${file}):`, ...lines.map((line) => `  ${name} | ${line}`)].join("\n");
}
