/** What the session broker said about a session so far. */
export type SessionState =
  | {
      readonly status: "active";
      readonly principalId: string;
      readonly endpoint: string;
      readonly expiresAt: Date;
    }
  | { readonly status: "denied"; readonly reason: string }
  | { readonly status: "ended" };

type Waiter = (state: SessionState) => void;

const sweepEvery = 1_000;
/** How long an end is remembered: longer than anybody waits to hear of it, or holds a token of that session. */
const endedMsKept = 25 * 3_600 * 1_000;

/** Sessions by id, and those who wait to hear of one. */
export class SessionsView {
  readonly #states = new Map<string, { readonly state: SessionState; readonly until: number }>();
  readonly #waiters = new Map<string, Set<Waiter>>();
  #applied = 0;

  /** `at` is when the event happened, so that reading an old log again keeps nothing that has passed. */
  apply(sessionId: string, state: SessionState, at: Date): void {
    // An end is final, in whatever order the log is read again.
    if (this.find(sessionId)?.status === "ended") return;
    const until = state.status === "active" ? state.expiresAt.getTime() : at.getTime() + endedMsKept;
    this.#states.set(sessionId, { state, until });
    for (const waiter of this.#waiters.get(sessionId) ?? []) waiter(state);
    this.#applied += 1;
    if (this.#applied % sweepEvery === 0) this.#sweep(at.getTime());
  }

  find(sessionId: string): SessionState | undefined {
    return this.#states.get(sessionId)?.state;
  }

  /** The sessions that a principal has now. */
  activeOf(principalId: string): string[] {
    return [...this.#states].flatMap(([sessionId, { state }]) =>
      state.status === "active" && state.principalId === principalId ? [sessionId] : [],
    );
  }

  /** Whole seconds that an active session has left; 0 for any other. */
  secondsLeft(sessionId: string, now: Date): number {
    const state = this.find(sessionId);
    if (state?.status !== "active") return 0;
    return Math.max(0, Math.floor((state.expiresAt.getTime() - now.getTime()) / 1_000));
  }

  /** The session's state, waited for within bounds; undefined where nothing was heard. */
  async waitFor(sessionId: string, msMax: number): Promise<SessionState | undefined> {
    const known = this.find(sessionId);
    if (known) return known;
    const waiters = this.#waiters.get(sessionId) ?? new Set();
    this.#waiters.set(sessionId, waiters);
    let timer: NodeJS.Timeout | undefined;
    let waiter: Waiter = () => undefined;
    try {
      return await new Promise<SessionState | undefined>((resolve) => {
        waiter = resolve;
        waiters.add(waiter);
        timer = setTimeout(() => resolve(undefined), msMax);
      });
    } finally {
      clearTimeout(timer);
      waiters.delete(waiter);
      if (waiters.size === 0) this.#waiters.delete(sessionId);
    }
  }

  #sweep(now: number): void {
    for (const [sessionId, { until }] of this.#states) if (until < now) this.#states.delete(sessionId);
  }
}
