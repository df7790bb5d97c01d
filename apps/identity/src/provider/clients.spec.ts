import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { mayFetch } from "./clients.js";

const document = "https://client.example.com/metadata.json";

describe("a client's metadata document", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it.each([
    ["one of its addresses is private", () => Promise.resolve(at("93.184.215.14", "10.0.0.1"))],
    ["its host has no address", () => Promise.resolve([])],
    ["its host cannot be looked up", () => Promise.reject(new Error("ENOTFOUND"))],
  ])("may not be fetched where %s", async (_, resolve) => {
    expect(await mayFetch(document, resolve)).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("may not be fetched where nobody says in time where its host is, however late the answer comes", async () => {
    let answer: (found: { address: string }[]) => void = () => undefined;
    const asked = mayFetch(document, () => new Promise((resolve) => (answer = resolve)));
    let allowed: boolean | undefined;
    void asked.then((value) => (allowed = value));
    await vi.advanceTimersByTimeAsync(2_499);
    expect(allowed).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect(allowed).toBe(false);
    answer(at("93.184.215.14"));
    expect(await asked).toBe(false);
  });

  it("may be fetched from public addresses, and leaves no timer behind", async () => {
    expect(await mayFetch(document, () => Promise.resolve(at("93.184.215.14")))).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });
});

const at = (...addresses: string[]) => addresses.map((address) => ({ address }));
