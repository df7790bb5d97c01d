/** What the session broker said about a session so far. */
export type SessionState =
  | {
      readonly status: "active";
      readonly principalId: string;
      readonly endpoint: string;
      readonly expiresAt: Date;
    }
  | {
      /** Another person has to approve it, until then. */
      readonly status: "waiting";
      readonly principalId: string;
      readonly endpoint: string;
      readonly waitsUntil: Date;
    }
  | { readonly status: "denied"; readonly reason: string }
  | { readonly status: "ended" };

export type DecidedState = Exclude<SessionState, { status: "waiting" }>;

interface Waiter {
  readonly hearsOfWaits: boolean;
  readonly hear: (state: SessionState) => void;
}

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
    // An end is final, in whatever order the log is read again, and nothing waits after a decision.
    const known = this.find(sessionId)?.status;
    if (known === "ended" || (known !== undefined && state.status === "waiting")) return;
    const until = state.status === "active" ? state.expiresAt.getTime() : at.getTime() + endedMsKept;
    this.#states.set(sessionId, { state, until });
    for (const { hearsOfWaits, hear } of this.#waiters.get(sessionId) ?? [])
      if (hearsOfWaits || state.status !== "waiting") hear(state);
    this.#applied += 1;
    if (this.#applied % sweepEvery === 0) this.#sweep(at.getTime());
  }

  /** Moves the end of a session that is active; never back, when an earlier extension is delivered again. */
  extend(sessionId: string, expiresAt: Date, at: Date): void {
    const state = this.find(sessionId);
    if (state?.status === "active" && state.expiresAt < expiresAt)
      this.apply(sessionId, { ...state, expiresAt }, at);
  }

  find(sessionId: string): SessionState | undefined {
    return this.#states.get(sessionId)?.state;
  }

  /** The sessions that a principal has now, or waits for. */
  openOf(principalId: string): string[] {
    return [...this.#states].flatMap(([sessionId, { state }]) =>
      (state.status === "active" || state.status === "waiting") && state.principalId === principalId
        ? [sessionId]
        : [],
    );
  }

  /** Whole seconds that an active session has left; 0 for any other. */
  secondsLeft(sessionId: string, now: Date): number {
    const state = this.find(sessionId);
    if (state?.status !== "active") return 0;
    return Math.max(0, Math.floor((state.expiresAt.getTime() - now.getTime()) / 1_000));
  }

  /** The first that is heard of a session, which may be that it waits for an approval; undefined where nothing is in time. */
  waitFor(sessionId: string, msMax: number): Promise<SessionState | undefined> {
    const known = this.find(sessionId);
    return known ? Promise.resolve(known) : this.#hear(sessionId, msMax, true);
  }

  /** What was decided about a session in the end; undefined where nothing was in time. */
  async waitForDecision(sessionId: string, msMax: number): Promise<DecidedState | undefined> {
    const known = this.find(sessionId);
    const state = known && known.status !== "waiting" ? known : await this.#hear(sessionId, msMax, false);
    return state?.status === "waiting" ? undefined : state;
  }

  async #hear(sessionId: string, msMax: number, hearsOfWaits: boolean): Promise<SessionState | undefined> {
    const waiters = this.#waiters.get(sessionId) ?? new Set<Waiter>();
    this.#waiters.set(sessionId, waiters);
    let timer: NodeJS.Timeout | undefined;
    let waiter: Waiter | undefined;
    try {
      return await new Promise<SessionState | undefined>((resolve) => {
        waiter = { hearsOfWaits, hear: resolve };
        waiters.add(waiter);
        timer = setTimeout(() => resolve(undefined), msMax);
      });
    } finally {
      clearTimeout(timer);
      if (waiter) waiters.delete(waiter);
      if (waiters.size === 0) this.#waiters.delete(sessionId);
    }
  }

  #sweep(now: number): void {
    for (const [sessionId, { until }] of this.#states) if (until < now) this.#states.delete(sessionId);
  }
}
