import type { HoldLeft, HoldOpened, HoldTaken } from "@countersign/contracts";

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

interface Held extends Omit<HoldOpened, "callId" | "expiresAt"> {
  /** The call that waits for it, at whichever proxy; undefined once that one left. */
  owner: string | undefined;
  wake?: ((verdict: Verdict) => void) | undefined;
  readonly takers: Set<() => void>;
  readonly timer: NodeJS.Timeout;
}

const holdsMax = 10_000;
const verdictsMax = 10_000;

/**
 * The approvals that calls wait for, at all proxies, as `mcp.holds` tells of them. A client may give up waiting (some do
 * after a minute, others because their proxy went away) and ask again for exactly the same call in the same session: it
 * then takes up the wait, or the decision, where it was. Each hold has one owner in the order of the log, and only that
 * one may use the approval, so a granted approval is used once, whichever proxies the client meets.
 */
export class Holds {
  readonly #held = new Map<string, Held>();
  /** Decisions may be heard of before the hold is: they come by another topic. */
  readonly #verdicts = new Map<string, Verdict>();

  get size(): number {
    return this.#held.size;
  }

  get full(): boolean {
    return this.#held.size >= holdsMax;
  }

  opened({ approvalId, sessionId, requestDigest, callId, expiresAt }: HoldOpened, now: Date): void {
    const leftMs = Date.parse(expiresAt) - now.getTime();
    if (leftMs <= 0 || this.#held.has(approvalId)) return;
    const timer = setTimeout(() => {
      this.decide(approvalId, { verdict: "expired" });
      this.drop(approvalId);
    }, leftMs);
    timer.unref();
    this.#held.set(approvalId, {
      approvalId,
      sessionId,
      requestDigest,
      owner: callId,
      takers: new Set(),
      timer,
    });
  }

  left({ approvalId, callId }: HoldLeft): void {
    const held = this.#held.get(approvalId);
    if (held?.owner === callId) held.owner = undefined;
  }

  taken({ approvalId, callId }: HoldTaken): void {
    const held = this.#held.get(approvalId);
    if (!held) return;
    held.owner ??= callId;
    for (const told of held.takers) told();
  }

  /** The approval that exactly this call may take up, because nobody waits for it any more. */
  abandoned(sessionId: string, requestDigest: string): string | undefined {
    for (const held of this.#held.values()) {
      if (held.sessionId === sessionId && held.requestDigest === requestDigest && held.owner === undefined) {
        return held.approvalId;
      }
    }
    return undefined;
  }

  /** Waits until the log says who has a hold that this call would take up; false where it is another one, or nobody. */
  async won(approvalId: string, callId: string, msMax: number): Promise<boolean> {
    const held = this.#held.get(approvalId);
    if (held && held.owner === undefined) {
      await new Promise<void>((resolve) => {
        const told = (): void => {
          clearTimeout(timer);
          held.takers.delete(told);
          resolve();
        };
        const timer = setTimeout(told, msMax);
        held.takers.add(told);
      });
    }
    return held?.owner === callId;
  }

  /** Waits for the decision; "left" when the signal aborts first, and the hold stays for whoever asks again. */
  async wait(approvalId: string, left: AbortSignal): Promise<Verdict | "left"> {
    const held = this.#held.get(approvalId);
    if (!held) return { verdict: "expired" };
    if (left.aborted) return "left";
    const verdict =
      this.#verdicts.get(approvalId) ??
      (await new Promise<Verdict | "left">((resolve) => {
        const leave = (): void => resolve("left");
        left.addEventListener("abort", leave, { once: true });
        held.wake = (decided) => {
          left.removeEventListener("abort", leave);
          resolve(decided);
        };
      }));
    held.wake = undefined;
    if (verdict !== "left") this.drop(approvalId);
    return verdict;
  }

  decide(approvalId: string, verdict: Verdict): void {
    if (this.#verdicts.has(approvalId)) return;
    this.#verdicts.set(approvalId, verdict);
    const [oldest] = this.#verdicts.keys();
    if (this.#verdicts.size > verdictsMax && oldest !== undefined) this.#verdicts.delete(oldest);
    this.#held.get(approvalId)?.wake?.(verdict);
  }

  drop(approvalId: string): void {
    clearTimeout(this.#held.get(approvalId)?.timer);
    this.#held.delete(approvalId);
  }
}
