import { describe, expect, it } from "vitest";
import { bundleLineBytesMax } from "./bundle.js";
import { bundleLines } from "./bundle-lines.js";

async function linesIn(chunks: Iterable<Uint8Array>): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of bundleLines(chunks)) lines.push(line);
  return lines;
}

describe("the lines of a bundle", () => {
  it("are refused past the largest record of the log, before they are held whole", async () => {
    const chunk = Buffer.alloc(1024 * 1024, "x");
    let taken = 0;
    const endless = (function* () {
      for (;;) {
        taken += chunk.byteLength;
        yield chunk;
      }
    })();
    await expect(linesIn(endless)).rejects.toMatchObject({ code: "line_too_long" });
    expect(taken).toBeLessThan(bundleLineBytesMax + 2 * chunk.byteLength);
  });

  it("are refused past it in one chunk as well", async () => {
    const bytes = Buffer.concat([Buffer.alloc(bundleLineBytesMax + 1, "x"), Buffer.from("\n")]);
    await expect(linesIn([bytes])).rejects.toMatchObject({ code: "line_too_long" });
  });

  it.each([
    ["not UTF-8", Buffer.from([0x22, 0xff, 0x22, 0x0a]), "not_utf8"],
    ["not ended", Buffer.from("{}\n{}"), "line_not_ended"],
  ])("are refused where one is %s", async (_, bytes, code) => {
    await expect(linesIn([bytes])).rejects.toMatchObject({ code });
  });

  it("keep what other readers of lines take away: a byte order mark, a carriage return", async () => {
    expect(await linesIn([Buffer.from("\ufeff{}\r\n")])).toEqual(["\ufeff{}\r"]);
  });

  it("are put together from chunks of any size", async () => {
    const bytes = Buffer.from("{}\n\nä€\n");
    const chunks = [...bytes].map((byte) => Uint8Array.of(byte));
    expect(await linesIn(chunks)).toEqual(["{}", "", "ä€"]);
    expect(await linesIn([bytes])).toEqual(["{}", "", "ä€"]);
  });
});
