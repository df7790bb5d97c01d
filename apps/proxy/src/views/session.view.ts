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

/**
 * The sessions that hold now, built from `session.events`. Ending one aborts its signal, which closes whatever runs
 * under it.
 */
export class SessionView {
  readonly #sessions = new Map<string, Entry>();
  readonly #ended = new Map<string, string>();
  readonly #waiters = new Map<string, Set<() => void>>();

  grant(session: SessionGranted, now: Date): void {
    const { sessionId } = session;
    if (this.#sessions.has(sessionId)) return;
    const leftMs = Date.parse(session.expiresAt) - now.getTime();
    const controller = new AbortController();
    const entry: Entry = { session, controller, ended: controller.signal };
    const cause = this.#ended.get(sessionId);
    if (cause !== undefined || leftMs <= 0) controller.abort(cause ?? "its time is over");
    else {
      entry.timer = setTimeout(() => this.end(sessionId, "its time is over"), Math.min(leftMs, timerMsMax));
      entry.timer.unref();
    }
    this.#sessions.set(sessionId, entry);
    this.#forgetLater(sessionId, Math.max(leftMs, 0) + rememberMs);
    for (const wake of this.#waiters.get(sessionId) ?? []) wake();
  }

  end(sessionId: string, cause: string): void {
    this.#ended.set(sessionId, cause);
    const entry = this.#sessions.get(sessionId);
    clearTimeout(entry?.timer);
    if (entry && !entry.ended.aborted) entry.controller.abort(cause);
    this.#forgetLater(sessionId, rememberMs);
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

  #forgetLater(sessionId: string, afterMs: number): void {
    setTimeout(
      () => {
        const entry = this.#sessions.get(sessionId);
        if (entry && !entry.ended.aborted) return;
        this.#sessions.delete(sessionId);
        this.#ended.delete(sessionId);
      },
      Math.min(afterMs, timerMsMax),
    ).unref();
  }
}
