import { Inject, Injectable } from "@nestjs/common";
import { Clock, LOG, type Logger, Outbox, VaultFailed } from "@countersign/service-kit";
import { DataSource, type EntityManager } from "typeorm";
import { OriginalUnreadable, type WrappedKey } from "../domain/open-original.js";
import { VaultKeys } from "./vault-keys.js";

const batchMax = 200;

interface Rewrapped {
  readonly row: WrappedKey;
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
    const { currentKeyId } = this.keys;
    const former = this.keys.keyIds.filter((keyId) => keyId !== currentKeyId);
    if (currentKeyId === undefined || former.length === 0) return;
    const rows: WrappedKey[] = await this.dataSource.query(
      `SELECT key_id AS "keyId", session_id AS "sessionId", vault_key_id AS "vaultKeyId", wrapped
       FROM masking.session_keys WHERE vault_key_id = ANY($1) AND key_id <> ALL($2)
       ORDER BY key_id LIMIT ${batchMax}`,
      [former, [...this.#unreadable]],
    );
    const rewrapped: Rewrapped[] = [];
    let failure: VaultFailed | undefined;
    for (const row of rows) {
      try {
        const wrapped = await this.#wrappedAnew(row);
        if (wrapped) rewrapped.push({ row, ...wrapped });
      } catch (error) {
        if (!(error instanceof VaultFailed)) throw error;
        failure = error;
        break;
      }
    }
    for (const [vaultKeyId, keys] of Map.groupBy(rewrapped, (key) => key.vaultKeyId)) {
      await this.dataSource.transaction((manager) => this.#store(manager, vaultKeyId, keys));
    }
    if (rewrapped.length > 0) this.outbox.wake();
    if (failure) throw failure;
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

  async #store(manager: EntityManager, vaultKeyId: string, keys: readonly Rewrapped[]): Promise<void> {
    for (const { row, wrapped } of keys) {
      await manager.query(
        "UPDATE masking.session_keys SET vault_key_id = $3, wrapped = $4 WHERE key_id = $1 AND vault_key_id = $2",
        [row.keyId, row.vaultKeyId, vaultKeyId, wrapped],
      );
    }
    const formerVaultKeyIds = [...new Set(keys.map(({ row }) => row.vaultKeyId))];
    await this.outbox.add(manager, {
      topic: "masking.events",
      event: {
        id: this.clock.newId(),
        type: "SessionKeysRewrapped",
        source: "masking",
        subject: vaultKeyId,
        time: this.clock.now().toISOString(),
        data: { vaultKeyId, formerVaultKeyIds, sessionKeys: keys.length },
      },
    });
  }

  async #wrappedAnew(row: WrappedKey): Promise<Pick<WrappedKey, "vaultKeyId" | "wrapped"> | undefined> {
    try {
      return await this.keys.wrap(await this.keys.open(row), row);
    } catch (error) {
      if (!(error instanceof OriginalUnreadable)) throw error;
      this.#unreadable.add(row.keyId);
      this.log.error({ error, sessionId: row.sessionId }, "a session's key cannot be wrapped anew");
      return undefined;
    }
  }
}
