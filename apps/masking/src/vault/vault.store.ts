import { Inject, Injectable } from "@nestjs/common";
import type { OriginalSealed, SessionKeyWrapped } from "@countersign/contracts";
import { DataSource, type EntityManager } from "typeorm";

type Queries = Pick<EntityManager, "query">;

/** A sealed original together with its session's wrapped key, as far as that is there. */
export interface StoredOriginal {
  readonly originalId: string;
  readonly callId: string;
  readonly sessionId: string;
  readonly endpoint: string;
  readonly direction: OriginalSealed["direction"];
  readonly keyId: string;
  readonly sealed: string;
  /** Its key was destroyed; nobody can open it. */
  readonly shredded: boolean;
  readonly key?: { readonly vaultKeyId: string; readonly wrapped: string };
}

/** Whether something was put in, was there already, contradicts what is there, or belongs to what was destroyed. */
export type Stored = "added" | "repeated" | "contradicts" | "shredded";

/** One at a time fills a session's part of the vault or empties it, so that nothing of it comes back. */
export async function lockSession(queries: Queries, sessionId: string): Promise<void> {
  await queries.query("SELECT pg_advisory_xact_lock(hashtext('masking.session'), hashtext($1))", [sessionId]);
}

/** The vault's tables. */
@Injectable()
export class VaultStore {
  constructor(@Inject(DataSource) private readonly dataSource: DataSource) {}

  async addKey(queries: Queries, key: SessionKeyWrapped): Promise<Stored> {
    await lockSession(queries, key.sessionId);
    if (await isDestroyed(queries, key.keyId)) return "shredded";
    const added: unknown[] = await queries.query(
      `INSERT INTO masking.session_keys (key_id, session_id, vault_key_id, wrapped)
       VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING key_id`,
      [key.keyId, key.sessionId, key.vaultKeyId, key.wrapped],
    );
    if (added.length > 0) return "added";
    const same: unknown[] = await queries.query(
      `SELECT 1 FROM masking.session_keys
       WHERE key_id = $1 AND session_id = $2 AND (vault_key_id <> $3 OR wrapped = $4)`,
      // Under another key of the vault it was wrapped anew; what it holds cannot be compared.
      [key.keyId, key.sessionId, key.vaultKeyId, key.wrapped],
    );
    return same.length > 0 ? "repeated" : "contradicts";
  }

  async addOriginal(queries: Queries, original: OriginalSealed): Promise<Stored> {
    const { originalId, callId, sessionId, endpoint, direction, keyId, sealed, sha256 } = original;
    await lockSession(queries, sessionId);
    const shredded = await isDestroyed(queries, keyId);
    const added: unknown[] = await queries.query(
      `INSERT INTO masking.originals (original_id, call_id, session_id, endpoint, direction, key_id, sealed, sha256)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING original_id`,
      [originalId, callId, sessionId, endpoint, direction, keyId, shredded ? "" : sealed, sha256],
    );
    if (shredded) return "shredded";
    if (added.length > 0) return "added";
    const same: unknown[] = await queries.query(
      `SELECT 1 FROM masking.originals WHERE original_id = $1 AND sha256 = $2 AND session_id = $3 AND call_id = $4`,
      [originalId, sha256, sessionId, callId],
    );
    return same.length > 0 ? "repeated" : "contradicts";
  }

  async original(originalId: string): Promise<StoredOriginal | undefined> {
    const rows: OriginalRow[] = await this.dataSource.query(
      `SELECT original.*, key.vault_key_id, key.wrapped
       FROM masking.originals AS original
       LEFT JOIN masking.session_keys AS key
         ON key.key_id = original.key_id AND key.session_id = original.session_id
       WHERE original.original_id = $1`,
      [originalId],
    );
    const [row] = rows;
    if (!row) return undefined;
    const { vault_key_id: vaultKeyId, wrapped } = row;
    return {
      originalId: row.original_id,
      callId: row.call_id,
      sessionId: row.session_id,
      endpoint: row.endpoint,
      direction: row.direction,
      keyId: row.key_id,
      sealed: row.sealed,
      shredded: row.sealed === "",
      ...(vaultKeyId === null || wrapped === null ? {} : { key: { vaultKeyId, wrapped } }),
    };
  }
}

/** Kafka may say again what was destroyed here. */
async function isDestroyed(queries: Queries, keyId: string): Promise<boolean> {
  const rows: unknown[] = await queries.query("SELECT 1 FROM masking.destroyed_keys WHERE key_id = $1", [
    keyId,
  ]);
  return rows.length > 0;
}

interface OriginalRow {
  readonly original_id: string;
  readonly call_id: string;
  readonly session_id: string;
  readonly endpoint: string;
  readonly direction: OriginalSealed["direction"];
  readonly key_id: string;
  readonly sealed: string;
  readonly vault_key_id: string | null;
  readonly wrapped: string | null;
}
