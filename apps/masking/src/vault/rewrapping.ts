import { createPublicKey } from "node:crypto";
import { Inject, Injectable } from "@nestjs/common";
import { Clock, LOG, type Logger, Outbox } from "@countersign/service-kit";
import { DataSource, type EntityManager } from "typeorm";
import { openSessionKey, OriginalUnreadable } from "../domain/open-original.js";
import { wrapSessionKey } from "../domain/wrap-session-key.js";
import { VaultKeys } from "./vault-keys.js";

const batchMax = 200;

interface Row {
  readonly keyId: string;
  readonly sessionId: string;
  readonly vaultKeyId: string;
  readonly wrapped: string;
}

/**
 * Wraps stored session keys to the vault's current key, so that its former private keys can be retired (PCI DSS 3.7.4).
 * A key that does not open is passed over and stays as it is.
 */
@Injectable()
export class Rewrapping {
  readonly #unreadable = new Set<string>();

  constructor(
    @Inject(DataSource) private readonly dataSource: DataSource,
    @Inject(VaultKeys) private readonly keys: VaultKeys,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(LOG) private readonly log: Logger,
  ) {}

  /** Wraps one batch; what is left waits for the next run. */
  async run(): Promise<void> {
    const former = this.keys.keyIds.filter((keyId) => keyId !== this.keys.currentKeyId);
    if (former.length === 0) return;
    const rows: Row[] = await this.dataSource.query(
      `SELECT key_id AS "keyId", session_id AS "sessionId", vault_key_id AS "vaultKeyId", wrapped
       FROM masking.session_keys WHERE vault_key_id = ANY($1) AND key_id <> ALL($2)
       ORDER BY key_id LIMIT ${batchMax}`,
      [former, [...this.#unreadable]],
    );
    if (rows.length === 0) return;
    await this.dataSource.transaction((manager) => this.#rewrap(manager, rows));
    this.outbox.wake();
  }

  /** How many session keys each key of the vault still opens. */
  async usage(): Promise<{ keyId: string; current: boolean; present: boolean; sessionKeys: number }[]> {
    const rows: { keyId: string; count: string }[] = await this.dataSource.query(
      `SELECT vault_key_id AS "keyId", count(*) AS count FROM masking.session_keys GROUP BY vault_key_id`,
    );
    const counts = new Map(rows.map(({ keyId, count }) => [keyId, Number(count)]));
    return [...new Set([...this.keys.keyIds, ...counts.keys()])].map((keyId) => ({
      keyId,
      current: keyId === this.keys.currentKeyId,
      present: this.keys.keyIds.includes(keyId),
      sessionKeys: counts.get(keyId) ?? 0,
    }));
  }

  async #rewrap(manager: EntityManager, rows: readonly Row[]): Promise<void> {
    const vaultKeyId = this.keys.currentKeyId;
    const formerVaultKeyIds = new Set<string>();
    let sessionKeys = 0;
    for (const row of rows) {
      const wrapped = await this.#wrappedAnew(row, vaultKeyId);
      if (wrapped === undefined) continue;
      await manager.query(
        "UPDATE masking.session_keys SET vault_key_id = $3, wrapped = $4 WHERE key_id = $1 AND vault_key_id = $2",
        [row.keyId, row.vaultKeyId, vaultKeyId, wrapped],
      );
      formerVaultKeyIds.add(row.vaultKeyId);
      sessionKeys += 1;
    }
    if (sessionKeys === 0) return;
    await this.outbox.add(manager, {
      topic: "masking.events",
      event: {
        id: this.clock.newId(),
        type: "SessionKeysRewrapped",
        source: "masking",
        subject: vaultKeyId,
        time: this.clock.now().toISOString(),
        data: { vaultKeyId, formerVaultKeyIds: [...formerVaultKeyIds], sessionKeys },
      },
    });
  }

  async #wrappedAnew(row: Row, vaultKeyId: string): Promise<string | undefined> {
    const current = this.keys.privateKey(vaultKeyId);
    if (!current) return undefined;
    try {
      const key = await openSessionKey(row, (keyId) => this.keys.privateKey(keyId));
      return await wrapSessionKey(key, { ...row, vaultKeyId }, createPublicKey(current));
    } catch (error) {
      if (!(error instanceof OriginalUnreadable)) throw error;
      this.#unreadable.add(row.keyId);
      this.log.error({ error, sessionId: row.sessionId }, "a session's key cannot be wrapped anew");
      return undefined;
    }
  }
}
