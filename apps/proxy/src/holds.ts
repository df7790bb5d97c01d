/** What became of a held call. */
export type Verdict =
  | {
      readonly verdict: "granted";
      readonly requestDigest: string;
      readonly by: string;
      readonly byName: string;
    }
  | { readonly verdict: "denied"; readonly byName: string; readonly comment?: string }
  | { readonly verdict: "expired" };

/** One approval that calls of this process wait for. */
export interface Hold {
  readonly approvalId: string;
  readonly sessionId: string;
  readonly requestDigest: string;
  readonly expiresAt: Date;
}

interface Held extends Hold {
  verdict?: Verdict;
  wake?: (verdict: Verdict) => void;
  timer: NodeJS.Timeout;
}

const holdsMax = 10_000;

/**
 * The calls that wait for an approval in this process. A client may give up waiting (some do after a minute) and ask
 * again for exactly the same call in the same session: it then takes up the wait, or the decision, where it was. A
 * granted approval is handed out once. After a restart nothing is left of a hold, so an approval given to a call that
 * died is never used for another.
 */
export class Holds {
  readonly #held = new Map<string, Held>();

  get size(): number {
    return this.#held.size;
  }

  get full(): boolean {
    return this.#held.size >= holdsMax;
  }

  /** A hold for exactly this call that nobody waits for any more. */
  abandoned(sessionId: string, requestDigest: string): Hold | undefined {
    for (const held of this.#held.values()) {
      if (held.sessionId === sessionId && held.requestDigest === requestDigest && !held.wake) return held;
    }
    return undefined;
  }

  add(hold: Hold, now: Date): void {
    const timer = setTimeout(
      () => {
        this.decide(hold.approvalId, { verdict: "expired" });
        this.#held.delete(hold.approvalId);
      },
      Math.max(0, hold.expiresAt.getTime() - now.getTime()),
    );
    this.#held.set(hold.approvalId, { ...hold, timer });
  }

  /** Waits for the decision; "left" when the signal aborts first, and the hold stays for whoever asks again. */
  async wait(approvalId: string, left: AbortSignal): Promise<Verdict | "left"> {
    const held = this.#held.get(approvalId);
    if (!held) return { verdict: "expired" };
    if (left.aborted) return "left";
    const verdict =
      held.verdict ??
      (await new Promise<Verdict | "left">((resolve) => {
        const leave = (): void => resolve("left");
        left.addEventListener("abort", leave, { once: true });
        held.wake = (decided) => {
          left.removeEventListener("abort", leave);
          resolve(decided);
        };
      }));
    delete held.wake;
    if (verdict !== "left") this.drop(approvalId);
    return verdict;
  }

  decide(approvalId: string, verdict: Verdict): void {
    const held = this.#held.get(approvalId);
    if (!held || held.verdict) return;
    held.verdict = verdict;
    held.wake?.(verdict);
  }

  drop(approvalId: string): void {
    clearTimeout(this.#held.get(approvalId)?.timer);
    this.#held.delete(approvalId);
  }

  /** Ids of the approvals of a session; they lose their meaning with it. */
  of(sessionId: string): string[] {
    return [...this.#held.values()]
      .filter((held) => held.sessionId === sessionId)
      .map(({ approvalId }) => approvalId);
  }
}
