export const failuresMax = 5;
export const restMs = 10_000;

/**
 * Gives an upstream that failed several times in a row a rest, then lets one request at a time find out whether it is
 * back. Times are milliseconds of any one clock.
 */
export class CircuitBreaker {
  #failures = 0;
  #restUntil = 0;
  #probing = false;

  /** Whether a request may be made now. One that may must end in `succeeded`, `failed` or `abandoned`. */
  admits(now: number): boolean {
    if (this.#failures < failuresMax) return true;
    if (now < this.#restUntil || this.#probing) return false;
    this.#probing = true;
    return true;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#probing = false;
  }

  failed(now: number): void {
    this.#failures += 1;
    this.#probing = false;
    if (this.#failures >= failuresMax) this.#restUntil = now + restMs;
  }

  /** The request ended for a reason that says nothing about the upstream, such as a client that left. */
  abandoned(): void {
    this.#probing = false;
  }

  get open(): boolean {
    return this.#failures >= failuresMax;
  }
}
