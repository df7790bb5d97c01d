import { Inject, Injectable } from "@nestjs/common";
import { DataSource, type EntityManager } from "typeorm";
import { lockSession } from "./vault.store.js";

export interface SessionKey {
  readonly keyId: string;
  readonly sessionId: string;
}

export interface Destroyed {
  readonly keyIds: readonly string[];
  /** Originals that nobody can open any more. */
  readonly originals: number;
}

/** The end of keys in the vault's tables. Rows of originals stay, without what was sealed. */
@Injectable()
export class DestructionStore {
  constructor(@Inject(DataSource) private readonly dataSource: DataSource) {}

  /** Destroys the session's keys, or those of them that are named. */
  async destroy(manager: EntityManager, sessionId: string, only?: readonly string[]): Promise<Destroyed> {
    await lockSession(manager, sessionId);
    const rows: { key_id: string }[] = await manager.query(
      "SELECT key_id FROM masking.session_keys WHERE session_id = $1 AND ($2::text[] IS NULL OR key_id = ANY($2))",
      [sessionId, only ?? null],
    );
    const keyIds = rows.map(({ key_id: keyId }) => keyId);
    if (keyIds.length === 0) return { keyIds, originals: 0 };
    await manager.query(
      "INSERT INTO masking.destroyed_keys (key_id, session_id) SELECT key_id, $2 FROM unnest($1::text[]) AS key_id",
      [keyIds, sessionId],
    );
    await manager.query("DELETE FROM masking.session_keys WHERE key_id = ANY($1)", [keyIds]);
    const [emptied]: [{ count: string }] = await manager.query(
      `WITH emptied AS (UPDATE masking.originals SET sealed = '' WHERE key_id = ANY($1) AND sealed <> '' RETURNING 1)
       SELECT count(*) AS count FROM emptied`,
      [keyIds],
    );
    return { keyIds, originals: Number(emptied.count) };
  }

  async wasDestroyed(sessionId: string): Promise<boolean> {
    const rows: unknown[] = await this.dataSource.query(
      "SELECT 1 FROM masking.destroyed_keys WHERE session_id = $1 LIMIT 1",
      [sessionId],
    );
    return rows.length > 0;
  }

  /** Keys past their term, which begins when the vault takes a key in, and is that of its originals' endpoint. */
  expired(
    terms: ReadonlyMap<string, number>,
    { secondsDefault, now, limit }: { secondsDefault: number; now: Date; limit: number },
  ): Promise<SessionKey[]> {
    return this.dataSource.query(
      `SELECT key.key_id AS "keyId", key.session_id AS "sessionId"
       FROM masking.session_keys AS key
       LEFT JOIN LATERAL (
         SELECT endpoint FROM masking.originals WHERE key_id = key.key_id ORDER BY stored_at DESC LIMIT 1
       ) AS sealed ON true
       LEFT JOIN unnest($1::text[], $2::bigint[]) AS term (endpoint, seconds) ON term.endpoint = sealed.endpoint
       WHERE key.stored_at + make_interval(secs => coalesce(term.seconds, $3)) <= $4
       ORDER BY key.stored_at LIMIT $5`,
      [[...terms.keys()], [...terms.values()], secondsDefault, now, limit],
    );
  }
}
