import { Refusal } from "./refusal.js";

/** The streams that each session has open in this process. Each keeps a connection to the upstream, so they are bounded. */
export class Streams {
  readonly #open = new Map<string, number>();

  constructor(private readonly perSessionMax: number) {}

  /** Opens one more; the answer closes it. Throws where the session has as many as it may. */
  open(sessionId: string): () => void {
    const open = this.#open.get(sessionId) ?? 0;
    if (open >= this.perSessionMax) {
      throw new Refusal(
        "too_many_streams",
        `This session has ${open} streams open, which is as many as it may; close one first.`,
        { httpStatus: 429 },
      );
    }
    this.#open.set(sessionId, open + 1);
    let closed = false;
    return () => {
      if (closed) return;
      closed = true;
      const left = (this.#open.get(sessionId) ?? 1) - 1;
      if (left === 0) this.#open.delete(sessionId);
      else this.#open.set(sessionId, left);
    };
  }
}
