import { createHash } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";
import { Inject, Injectable } from "@nestjs/common";
import { dayOf } from "@countersign/card-data";
import type { CardDataMissed, EventMessage, Payload } from "@countersign/contracts";
import {
  Clock,
  CONFIG,
  Counter,
  type Delivery,
  LOG,
  type Logger,
  Metrics,
  Outbox,
} from "@countersign/service-kit";
import type { EntityManager } from "typeorm";
import type { MaskingConfig } from "../config.js";
import { CardDataPolicyInForce } from "../policy/card-data-policy.js";
import { lookAgain, type Missed } from "./domain/look-again.js";
import { SessionWindow } from "./domain/session-window.js";

type Part = CardDataMissed["part"];
const parts: readonly Part[] = ["request", "response", "message", "headers"];

interface Recorded {
  readonly event: EventMessage;
  readonly part: Part;
  readonly payload: Payload;
}

/**
 * Reads again what was recorded, behind the calls and so with time: by the policy of now, in places where the first
 * look does not go, and over the messages of a session. What it finds is an incident (PCI DSS 10.7.2, 12.10.7).
 */
@Injectable()
export class SecondLook {
  readonly #window = new SessionWindow<Recorded>();
  readonly #missed: Counter;

  constructor(
    @Inject(CardDataPolicyInForce) private readonly cardData: CardDataPolicyInForce,
    @Inject(CONFIG) private readonly config: MaskingConfig,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Metrics) { registry }: Metrics,
    @Inject(LOG) private readonly log: Logger,
  ) {
    this.#missed = new Counter({
      name: "countersign_card_data_missed_total",
      help: "Recorded messages in which the second look found card data. Any value above zero is an incident.",
      registers: [registry],
    });
  }

  /** Unreadable messages are the projection's concern, which records them. */
  async take(deliveries: readonly Delivery[], manager: EntityManager): Promise<void> {
    for (const { event } of deliveries) {
      if (!event) continue;
      for (const part of parts) {
        const payload = (event.data as Partial<Record<Part, Payload>>)[part];
        if (payload) await this.#look({ event, part, payload }, manager);
      }
      await turn();
    }
  }

  async #look(recorded: Recorded, manager: EntityManager): Promise<void> {
    const { event, part, payload } = recorded;
    const { endpoint } = event.data as { endpoint?: string };
    const options = this.#options(endpoint);
    const missed = lookAgain(payload.text, payload.contentType, options);
    if (missed) await this.#tell(recorded, missed, manager);
    const { method, target } = event.data as { method?: string; target?: string };
    const completed = this.#window.add(
      {
        id: recorded,
        sessionId: event.subject,
        field: JSON.stringify([part, method, target]),
        text: missed?.text ?? payload.text,
        atMs: Date.parse(event.time),
      },
      options,
    );
    for (const { seen, missed: joined } of completed) await this.#tell(seen.id, joined, manager);
  }

  async #tell(
    { event, part, payload }: Recorded,
    { text, findings }: Missed,
    manager: EntityManager,
  ): Promise<void> {
    const { callId, sessionId, endpoint } = event.data as {
      callId: string;
      sessionId?: string;
      endpoint?: string;
    };
    this.#missed.inc();
    this.log.error(
      {
        code: "card_data_missed",
        eventId: event.id,
        callId,
        ...(sessionId === undefined ? {} : { sessionId }),
      },
      "card data was recorded unmasked",
    );
    await this.outbox.add(manager, {
      topic: "masking.events",
      event: {
        id: this.clock.newId(),
        type: "CardDataMissed",
        source: "masking",
        subject: event.subject,
        time: this.clock.now().toISOString(),
        cause: event.id,
        data: {
          recordId: event.id,
          callId,
          ...(sessionId === undefined ? {} : { sessionId }),
          ...(endpoint === undefined ? {} : { endpoint }),
          part,
          policyVersion: this.cardData.policy.version,
          view: {
            text,
            sha256: createHash("sha256").update(text).digest("hex"),
            bytes: Buffer.byteLength(text),
            contentType: payload.contentType,
            findings: [...findings],
          },
        },
      },
    });
  }

  #options(endpoint: string | undefined) {
    const [fingerprintKey] = this.config.FINGERPRINT_KEY_FILE ?? [];
    return {
      policy: this.cardData.at(endpoint),
      today: dayOf(this.clock.now()),
      ...(fingerprintKey === undefined ? {} : { fingerprintKey }),
    };
  }
}
