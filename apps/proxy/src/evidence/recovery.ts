import type { CallIntended, EventMessage } from "@countersign/contracts";
import { type Bookmark, type Clock, type Entry, type Logger, type Replay } from "@countersign/service-kit";
import { holdEvent } from "../steps/hold-event.js";
import type { Draft, Recorder } from "./recorder.js";

interface Open {
  readonly intended: CallIntended;
  readonly approvalId?: string;
  readonly released: boolean;
}

/**
 * Which of a recorder's calls have an intent and no end. Pure: feed it the traffic in order, ask what is left.
 */
export class OpenCalls {
  readonly #open = new Map<string, Open>();

  constructor(private readonly recorderId: string) {}

  apply(event: EventMessage): void {
    const data = event.data as { recorder: { id: string }; callId: string; approvalId?: string };
    if (data.recorder.id !== this.recorderId) return;
    const open = this.#open.get(data.callId);
    switch (event.type) {
      case "CallIntended":
        this.#open.set(data.callId, { intended: event.data as CallIntended, released: false });
        break;
      case "CallHeld":
        if (open && data.approvalId !== undefined)
          this.#open.set(data.callId, { ...open, approvalId: data.approvalId });
        break;
      case "CallReleased":
        if (open) this.#open.set(data.callId, { ...open, released: true });
        break;
      case "CallCompleted":
      case "CallRefused":
        this.#open.delete(data.callId);
        break;
    }
  }

  get size(): number {
    return this.#open.size;
  }

  /** How each open call ends: a held one was certainly not made, of any other nobody knows. */
  endings(): { draft: Draft; approvalId?: string }[] {
    return [...this.#open.values()].map(({ intended, approvalId, released }) => {
      const { recorder: _r, request: _q, headers: _h, decision, ...context } = intended;
      const certain = decision.effect === "hold" && !released;
      const draft: Draft = {
        type: "CallCompleted",
        subject: intended.sessionId,
        data: {
          ...context,
          outcome: certain ? "not_forwarded" : "unknown",
          detail: certain
            ? "The gateway stopped while the call waited for an approval; it was not made."
            : "The gateway stopped between the intent and the outcome; the call may have been made.",
          ...(approvalId === undefined ? {} : { approvalId }),
        },
      };
      return certain && approvalId !== undefined ? { draft, approvalId } : { draft };
    });
  }
}

const bookmarkMs = 30_000;

/**
 * Ends, at start, what a former process of this name left open, and keeps a bookmark so that the next start has little
 * to read: a place on the log before which none of this recorder's calls is open any more.
 */
export class Recovery {
  readonly #live = new Set<string>();
  #candidate: { bookmark: Bookmark; open: Set<string> } | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly replay: Replay,
    private readonly recorder: Recorder,
    readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  async run(): Promise<void> {
    const open = new OpenCalls(this.recorder.id);
    const end = await this.replay.run((event) => open.apply(event));
    const endings = open.endings();
    if (endings.length > 0) {
      this.log.warn({ count: endings.length }, "ending calls that a former process left open");
      const left = endings.flatMap(({ draft, approvalId }) =>
        approvalId === undefined ? [] : [this.#leaving(draft.data as CallIntended, approvalId)],
      );
      await this.recorder.record(
        endings.map(({ draft }) => draft),
        left,
      );
    }
    await this.replay.mark(end);
    this.#timer = setInterval(() => {
      this.#advance().catch((error: unknown) => this.log.debug({ error }, "the bookmark stays where it is"));
    }, bookmarkMs);
    this.#timer.unref();
  }

  /** A call begins; to be told before its intent is recorded. */
  began(callId: string): void {
    this.#live.add(callId);
  }

  /** A call has its end on the log. */
  finished(callId: string): void {
    this.#live.delete(callId);
    this.#candidate?.open.delete(callId);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** A place may become the bookmark once every call that was open there has ended. */
  async #advance(): Promise<void> {
    if (this.#candidate) {
      if (this.#candidate.open.size > 0) return;
      await this.replay.mark(this.#candidate.bookmark);
    }
    const bookmark = await this.replay.end();
    this.#candidate = { bookmark, open: new Set(this.#live) };
  }

  /** The client is likely to ask again; the approval that it waited for is then taken up. */
  #leaving({ sessionId, callId }: Pick<CallIntended, "sessionId" | "callId">, approvalId: string): Entry {
    return holdEvent(this, "HoldLeft", { approvalId, sessionId, callId });
  }
}
