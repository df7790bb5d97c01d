import type { Call } from "./call.js";
import type { Received } from "./exchange.js";
import type { Gateway } from "./gateway.js";
import type { Reply } from "./reply.js";
import { admit } from "./steps/admit.js";
import { awaitApproval } from "./steps/await-approval.js";
import { carry, isListening } from "./steps/carry.js";
import { readCall } from "./steps/read-call.js";
import { holdEvent } from "./steps/hold-event.js";
import { recordIntents } from "./steps/record-intents.js";
import { refuse, type Trail } from "./steps/refuse.js";
import { Streams } from "./streams.js";
import { cancelledId, requestNamed } from "./waiting.js";

const stopStepMs = 3_000;

/**
 * The path of every request through the gateway. Until the intent is on the log any failure is a refusal, and nothing
 * was forwarded. After it, the call ends in an outcome that is on the log before the client sees the answer.
 */
export class Pipeline {
  readonly #streams: Streams;
  readonly #underWay = new Set<Promise<void>>();
  readonly #stopping = { streams: new AbortController(), calls: new AbortController() };

  constructor(private readonly gateway: Gateway) {
    this.#streams = new Streams(gateway.config.STREAMS_PER_SESSION_MAX);
  }

  handle(received: Received, reply: Reply): Promise<void> {
    const atEnd: (() => void)[] = [];
    const newCallId = (): string => {
      const callId = this.gateway.clock.newId();
      this.gateway.recovery.began(callId);
      atEnd.push(() => this.gateway.recovery.finished(callId));
      return callId;
    };
    const handling = this.#handle(received, reply, newCallId, atEnd);
    this.#underWay.add(handling);
    return handling.finally(() => {
      for (const end of atEnd) end();
      this.#underWay.delete(handling);
    });
  }

  /** Ends what waits and what only listens, gives calls a moment to end by themselves, then ends them too. */
  async stop(): Promise<void> {
    this.gateway.waiting.stop();
    this.#stopping.streams.abort("the gateway is stopping");
    await this.#settled();
    this.#stopping.calls.abort("the gateway is stopping");
    await this.#settled();
  }

  async #handle(
    received: Received,
    reply: Reply,
    newCallId: () => string,
    atEnd: (() => void)[],
  ): Promise<void> {
    const { gateway } = this;
    const trail: Trail = { callId: newCallId(), messages: [] };
    let call: Call;
    try {
      const admitted = await admit(received, gateway);
      trail.session = admitted.session;
      trail.scanner = admitted.scanner;
      trail.bundleVersion = admitted.engine.version;
      call = await readCall(gateway, received, admitted, reply, trail, newCallId);
      if (isListening(call)) atEnd.push(this.#streams.open(admitted.session.sessionId));
      if (!(await this.#mayGoOn(call))) return;
    } catch (error) {
      await refuse(gateway, received, trail, error, reply);
      return;
    }
    const { streams, calls } = this.#stopping;
    await carry(gateway, call, { streams: streams.signal, calls: calls.signal });
  }

  /** Records what is to be forwarded, and waits where a person has to approve it. */
  async #mayGoOn(call: Call): Promise<boolean> {
    const [first, ...others] = call.members;
    if (first?.decision.effect === "hold") return awaitApproval(this.gateway, call, first);
    const id = first && others.length === 0 ? cancelledId(first.message.rpc) : undefined;
    if (id === undefined) {
      await recordIntents(this.gateway, call);
      return true;
    }
    const { config, waiting } = this.gateway;
    const cancelled = requestNamed(config.FINGERPRINT_KEY_FILE, call.admitted.session.sessionId, id);
    // Where the call waits is not known here; whichever proxy it is, it hears of this.
    await recordIntents(this.gateway, call, [holdEvent(this.gateway, "HeldCallCancelled", cancelled)]);
    if (!waiting.cancel(cancelled)) return true;
    // The cancelled call never went upstream, so nobody there would know what is meant.
    call.reply.send(202, undefined, "");
    return false;
  }

  async #settled(): Promise<void> {
    const late = new Promise((resolve) => setTimeout(resolve, stopStepMs).unref());
    await Promise.race([Promise.allSettled(this.#underWay), late]);
  }
}
