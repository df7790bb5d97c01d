import { EventEmitter } from "node:events";
import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { keepaliveMs, Reply } from "./reply.js";

/** A response whose client takes nothing. */
class StuckResponse extends EventEmitter {
  readonly written: string[] = [];
  headersSent = false;
  writableFinished = false;
  ended = false;
  writeHead(): void {
    this.headersSent = true;
  }
  flushHeaders(): void {}
  write(text: string): boolean {
    if (this.ended) throw new Error("write after end");
    this.written.push(text);
    return false;
  }
  end(text = ""): void {
    if (text !== "") this.written.push(text);
    this.ended = true;
  }
  destroy(): void {
    this.emit("close");
  }
}

describe("an answer", () => {
  let response: StuckResponse;
  let reply: Reply;
  beforeEach(() => {
    vi.useFakeTimers();
    response = new StuckResponse();
    reply = new Reply(response as unknown as ServerResponse);
  });
  afterEach(() => vi.useRealTimers());

  it("shows a sign of life while nothing is said, until it ends", () => {
    reply.startStream();
    vi.advanceTimersByTime(2 * keepaliveMs);
    expect(response.written).toEqual([": keepalive\n\n", ": keepalive\n\n"]);
    reply.json(200, {});
    vi.advanceTimersByTime(2 * keepaliveMs);
    expect(response.written).toEqual([": keepalive\n\n", ": keepalive\n\n", "event: message\ndata: {}\n\n"]);
  });

  it("on a stream keeps its lines apart whatever ends them", () => {
    reply.startStream();
    reply.send(200, "application/json", '{"a":1,\r"b":2,\r\n"c":3,\n"d":4}');
    expect(response.written).toEqual([
      'event: message\ndata: {"a":1,\ndata: "b":2,\ndata: "c":3,\ndata: "d":4}\n\n',
    ]);
  });

  it("does not wait for a client that takes nothing beyond the end of its session", async () => {
    reply.startStream();
    expect(reply.write("data: 1\n\n")).toBe(false);
    const stop = new AbortController();
    const drained = reply.drained(stop.signal);
    stop.abort();
    await drained;
    expect(reply.left.aborted).toBe(false);
    reply.cutLate();
    vi.runAllTicks();
    vi.advanceTimersByTime(2_000);
    expect(reply.left.aborted).toBe(true);
  });

  it("takes a client that takes nothing for long for one that left", async () => {
    reply.startStream();
    reply.write("data: 1\n\n");
    const drained = reply.drained(new AbortController().signal);
    vi.advanceTimersByTime(60_000);
    await drained;
    expect(reply.left.aborted).toBe(true);
  });
});
