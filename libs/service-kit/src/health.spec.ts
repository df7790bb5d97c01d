import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Health } from "./health.js";

describe("readiness", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("fails with a check that throws, without saying what it threw", async () => {
    const health = new Health();
    health.register("postgres", () => Promise.reject(new Error("password authentication failed for x")));
    expect(await health.report()).toEqual({ ready: false, checks: { postgres: "failed" } });
  });

  it("fails with a check that does not answer", async () => {
    const health = new Health();
    health.register("kafka", () => new Promise(() => undefined));
    const report = health.report();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await report).toEqual({ ready: false, checks: { kafka: "no answer within 2000 ms" } });
  });

  it("fails with one of many, and names each", async () => {
    const health = new Health();
    health.register("kafka", () => undefined);
    health.register("view", () => "still reading");
    expect(await health.report()).toEqual({ ready: false, checks: { kafka: "ok", view: "still reading" } });
  });

  it("is not lost with a detail, which is told all the same", async () => {
    const health = new Health();
    health.register("kafka", () => undefined);
    health.register("credentials", () => "payments: token_refused", { required: false });
    expect(await health.report()).toEqual({
      ready: true,
      checks: { kafka: "ok", credentials: "payments: token_refused" },
    });
  });

  it("holds where every check does", async () => {
    const health = new Health();
    health.register("kafka", () => undefined);
    expect((await health.report()).ready).toBe(true);
  });
});
