import { describe, expect, it } from "vitest";
import { CircuitBreaker, failuresMax, restMs } from "./circuit-breaker.js";

const broken = () => {
  const breaker = new CircuitBreaker();
  for (let i = 0; i < failuresMax; i++) breaker.failed(0);
  return breaker;
};

describe("a circuit breaker", () => {
  it("lets nothing through while an upstream rests", () => {
    const breaker = broken();
    expect(breaker.open).toBe(true);
    expect(breaker.admits(0)).toBe(false);
    expect(breaker.admits(restMs - 1)).toBe(false);
  });

  it("lets a single request find out whether the upstream is back", () => {
    const breaker = broken();
    expect(breaker.admits(restMs)).toBe(true);
    expect(breaker.admits(restMs)).toBe(false);
  });

  it("rests again where the probe fails, and opens for everyone where it succeeds", () => {
    const breaker = broken();
    breaker.admits(restMs);
    breaker.failed(restMs);
    expect(breaker.admits(2 * restMs - 1)).toBe(false);
    expect(breaker.admits(2 * restMs)).toBe(true);
    breaker.succeeded();
    expect(breaker.open).toBe(false);
    expect([breaker.admits(2 * restMs), breaker.admits(2 * restMs)]).toEqual([true, true]);
  });

  it("lets the next one probe where the client of the probe left", () => {
    const breaker = broken();
    breaker.admits(restMs);
    breaker.abandoned();
    expect(breaker.admits(restMs)).toBe(true);
  });

  it("counts failures in a row only", () => {
    const breaker = new CircuitBreaker();
    for (let i = 0; i < 3 * failuresMax; i++) {
      if (i % failuresMax === 0) breaker.succeeded();
      else breaker.failed(0);
    }
    expect(breaker.open).toBe(false);
  });
});
