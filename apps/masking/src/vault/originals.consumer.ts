import { createHash } from "node:crypto";
import { Controller, Inject } from "@nestjs/common";
import { Ctx, Payload } from "@nestjs/microservices";
import type { EventOn } from "@countersign/contracts";
import {
  Clock,
  type EventContext,
  EventRefused,
  LOG,
  type Logger,
  OnEvent,
  Outbox,
} from "@countersign/service-kit";
import { transactionOf } from "./transaction-of.js";
import { VaultKeys } from "./vault-keys.js";
import { type Stored, VaultStore } from "./vault.store.js";

type Original = Extract<EventOn<"mcp.originals">, { type: "OriginalSealed" }>;
type Key = Extract<EventOn<"mcp.originals">, { type: "SessionKeyWrapped" }>;

/** Puts what the proxy sealed into the vault. What does not hold together goes to quarantine, not into the vault. */
@Controller()
export class OriginalsConsumer {
  constructor(
    @Inject(VaultStore) private readonly store: VaultStore,
    @Inject(VaultKeys) private readonly keys: VaultKeys,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(LOG) private readonly log: Logger,
  ) {}

  @OnEvent("mcp.originals", "SessionKeyWrapped")
  async keyWrapped(@Payload() { data }: Key, @Ctx() context: EventContext): Promise<void> {
    assertForm(
      data.wrapped,
      data.wrapped.startsWith("vault:") ? transitForm : compactJwe,
      wrappedCharactersMax,
    );
    if (data.vaultKeyId.includes("\0")) throw new EventRefused("The vault key's id cannot be stored.");
    // It is kept all the same: the key may only be missing in this replica's configuration.
    if (!this.keys.mayOpen(data.vaultKeyId)) {
      this.log.error(
        { code: "vault_key_unknown", sessionId: data.sessionId },
        "a session's key is sealed to a vault key that is neither in VAULT_KEYS_FILE nor the one of VAULT_TRANSIT_KEY",
      );
    }
    assertHolds(await this.store.addKey(transactionOf(context), data), "session key");
  }

  @OnEvent("mcp.originals", "OriginalSealed")
  async sealed(@Payload() event: Original, @Ctx() context: EventContext): Promise<void> {
    const { originalId, sessionId, callId, sealed, sha256 } = event.data;
    assertForm(sealed, compactJwe, sealedCharactersMax);
    if (createHash("sha256").update(sealed).digest("hex") !== sha256) {
      throw new EventRefused("The sealed original is not what its digest says.");
    }
    const manager = transactionOf(context);
    const stored = await this.store.addOriginal(manager, event.data);
    assertHolds(stored, "original");
    if (stored !== "added") return;
    await this.outbox.add(manager, {
      topic: "masking.events",
      event: {
        id: this.clock.newId(),
        type: "OriginalStored",
        source: "masking",
        subject: sessionId,
        time: this.clock.now().toISOString(),
        cause: event.id,
        data: { originalId, sessionId, callId, sha256 },
      },
    });
  }
}

/** Compact JWE serialization, RFC 7516 §7.1. */
const compactJwe = /^[\w-]+(?:\.[\w-]*){4}$/;
/** A ciphertext of HashiCorp Vault's transit engine. */
const transitForm = /^vault:v[1-9]\d{0,8}:[A-Za-z0-9+/]+={0,2}$/;

/** A wrapped 256-bit key takes some 400 characters, one of the transit engine 700. */
const wrappedCharactersMax = 4_096;
/** The largest message of an endpoint is 6 MiB, and base64 makes four characters of three bytes. */
const sealedCharactersMax = 9 * 1_024 * 1_024;

function assertForm(text: string, form: RegExp, charactersMax: number): void {
  if (text.length > charactersMax) throw new EventRefused("The sealed form is too large for the vault.");
  if (!form.test(text)) throw new EventRefused("The sealed form is not one that the vault opens.");
}

function assertHolds(stored: Stored, what: string): void {
  if (stored === "contradicts") throw new EventRefused(`The vault holds another ${what} under this id.`);
}
