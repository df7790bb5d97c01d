import { afterEach, describe, expect, it, vi } from "vitest";
import { bodyMsMax, readBody } from "./read-body.js";

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}
const read = (contentType: string, body: AsyncIterable<Uint8Array> = pieces("{}")) =>
  readBody({ "content-type": contentType }, body, 10);

describe("the body of a request", () => {
  afterEach(() => vi.useRealTimers());

  it.each([
    "application/json; charset=utf-7",
    "application/json;charset=utf-16le",
    'application/json; charset="utf-16"',
    "application/json; charset=utf-8; charset=utf-7",
    "application/json; x=1; charset=utf-7",
    `application/json; x="; charset=utf-8"; charset=utf-7`,
    "application/json; charset*=utf-7''utf-7",
    "application/jsonp",
    "text/plain; application/json",
    "",
  ])("is refused where a server could read it in another way: %j", async (contentType) => {
    await expect(read(contentType)).rejects.toMatchObject({ reason: "malformed", httpStatus: 415 });
  });

  it.each([
    "application/json",
    "Application/JSON; charset=UTF-8",
    `application/json;charset="utf-8"`,
    "application/json; profile=mcp",
  ])("is read as %s", async (contentType) => {
    expect(Buffer.from(await read(contentType, pieces("{", "}"))).toString()).toBe("{}");
  });

  it("is refused past the bound, however it comes", async () => {
    await expect(read("application/json", pieces("12345", "67890", "1"))).rejects.toMatchObject({
      reason: "too_large",
    });
  });

  it("is refused where it stalls", async () => {
    vi.useFakeTimers();
    const stalled = new ReadableStream<Uint8Array>({ start: (to) => to.enqueue(Buffer.from("{")) });
    const refusal = read("application/json", stalled).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(bodyMsMax);
    expect(await refusal).toMatchObject({ httpStatus: 408 });
  });

  it("is refused as malformed where its client leaves in the middle", async () => {
    const broken = new ReadableStream<Uint8Array>({ start: (to) => to.error(new Error("ECONNRESET")) });
    await expect(read("application/json", broken)).rejects.toMatchObject({ reason: "malformed" });
  });
});
