import type { SessionGranted } from "@countersign/contracts";

export interface LiveSession {
  readonly session: SessionGranted;
  readonly ended: AbortSignal;
}

interface Entry extends LiveSession {
  readonly controller: AbortController;
  timer?: NodeJS.Timeout;
}

const waitMsMax = 3_000;
const waitersMax = 1_000;
/** An ended session is remembered for a while, so that its token gets the right answer and no late grant revives it. */
const rememberMs = 60 * 60 * 1_000;
const timerMsMax = 2 ** 31 - 1;
const timeIsOver = "its time is over";

/**
 * The sessions that hold now, built from `session.events`. Ending one aborts its signal, which closes whatever runs
 * under it.
 */
export class SessionView {
  readonly #sessions = new Map<string, Entry>();
  readonly #ended = new Map<string, string>();
  readonly #forgetting = new Map<string, NodeJS.Timeout>();
  readonly #waiters = new Map<string, Set<() => void>>();

  grant(session: SessionGranted, now: Date): void {
    if (this.#sessions.has(session.sessionId)) return;
    this.#keep(session, new AbortController(), now);
    for (const wake of this.#waiters.get(session.sessionId) ?? []) wake();
  }

  /**
   * Moves the end of a session, which runs on as it is. One whose time is over by this clock alone comes back, so that an
   * extension that is read again, or heard of a moment late, counts; one that was ended does not. An end never moves
   * back: an earlier extension that is delivered again would cut what a later one keeps open.
   */
  extend(sessionId: string, expiresAt: string, now: Date): void {
    const entry = this.#sessions.get(sessionId);
    if (!entry || Date.parse(expiresAt) <= Date.parse(entry.session.expiresAt)) return;
    clearTimeout(entry.timer);
    const controller = entry.ended.aborted ? new AbortController() : entry.controller;
    this.#keep({ ...entry.session, expiresAt }, controller, now);
  }

  end(sessionId: string, cause: string): void {
    this.#ended.set(sessionId, cause);
    this.#abort(sessionId, cause);
    this.#forgetLater(sessionId, rememberMs);
  }

  #keep(session: SessionGranted, controller: AbortController, now: Date): void {
    const { sessionId } = session;
    const leftMs = Date.parse(session.expiresAt) - now.getTime();
    const entry: Entry = { session, controller, ended: controller.signal };
    const cause = this.#ended.get(sessionId);
    if (cause !== undefined || leftMs <= 0) controller.abort(cause ?? timeIsOver);
    else {
      entry.timer = setTimeout(() => this.#abort(sessionId, timeIsOver), Math.min(leftMs, timerMsMax));
      entry.timer.unref();
    }
    this.#sessions.set(sessionId, entry);
    this.#forgetLater(sessionId, Math.max(leftMs, 0) + rememberMs);
  }

  #abort(sessionId: string, cause: string): void {
    const entry = this.#sessions.get(sessionId);
    clearTimeout(entry?.timer);
    if (entry && !entry.ended.aborted) entry.controller.abort(cause);
  }

  find(sessionId: string): LiveSession | undefined {
    return this.#sessions.get(sessionId);
  }

  /** The session, waited for a moment if its grant is still on its way. */
  async waitFor(sessionId: string): Promise<LiveSession | undefined> {
    const known = this.find(sessionId);
    if (known || this.#waiters.size >= waitersMax) return known;
    await new Promise<void>((resolve) => {
      const waiters = this.#waiters.get(sessionId) ?? new Set();
      this.#waiters.set(sessionId, waiters);
      const done = (): void => {
        clearTimeout(timer);
        waiters.delete(done);
        if (waiters.size === 0) this.#waiters.delete(sessionId);
        resolve();
      };
      const timer = setTimeout(done, waitMsMax);
      waiters.add(done);
    });
    return this.find(sessionId);
  }

  /** The last one counts: more time moves also when a session is forgotten. */
  #forgetLater(sessionId: string, afterMs: number): void {
    clearTimeout(this.#forgetting.get(sessionId));
    const timer = setTimeout(
      () => {
        const entry = this.#sessions.get(sessionId);
        if (entry && !entry.ended.aborted) return;
        this.#sessions.delete(sessionId);
        this.#ended.delete(sessionId);
        this.#forgetting.delete(sessionId);
      },
      Math.min(afterMs, timerMsMax),
    );
    timer.unref();
    this.#forgetting.set(sessionId, timer);
  }
}
