/** How an input is told of: what it is named, and its bytes where they are known. */
export interface Input {
  readonly name: string;
  readonly bytes?: number | undefined;
}

/** Tells how far an input was read, about once a second; one that is read sooner is not told of. */
export async function* withProgress(
  chunks: AsyncIterable<Uint8Array>,
  { name, bytes: total }: Input,
  tell: (line: string) => void,
  nowMs: () => number = () => performance.now(),
): AsyncGenerator<Uint8Array> {
  const of = total === undefined ? "" : ` of ${mebibytes(total)}`;
  let told = nowMs();
  let read = 0;
  for await (const chunk of chunks) {
    yield chunk;
    read += chunk.byteLength;
    if (nowMs() - told < everyMs) continue;
    told = nowMs();
    tell(`${name}: ${mebibytes(read)}${of} MiB read`);
  }
}

const everyMs = 1_000;

const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
