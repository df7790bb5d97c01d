import { runtimeRole } from "@countersign/service-kit";
import type { MigrationInterface, QueryRunner } from "typeorm";

const runtime = `"${runtimeRole("masking")}"`;

/**
 * Keys can be destroyed, and wrapped to a newer vault key; nothing else of the vault can be changed. What was destroyed
 * is remembered by its id, so that a repetition from Kafka does not bring it back.
 *
 * PostgreSQL itself keeps deleted rows for a while: in dead tuples until VACUUM, in write-ahead log and backups until
 * those are dropped. Whoever has them still needs a private key of the vault; docs/card-data.md says what to do.
 */
export class Destruction1764200000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE masking.destroyed_keys (
        key_id text COLLATE "C" PRIMARY KEY,
        session_id text COLLATE "C" NOT NULL,
        destroyed_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX destroyed_keys_by_session ON masking.destroyed_keys (session_id);
      CREATE INDEX session_keys_by_session ON masking.session_keys (session_id);
      CREATE INDEX session_keys_by_age ON masking.session_keys (stored_at);
      CREATE INDEX session_keys_by_vault_key ON masking.session_keys (vault_key_id);
      CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON masking.destroyed_keys
        FOR EACH STATEMENT EXECUTE FUNCTION masking.refuse_change();
      ALTER TABLE masking.destroyed_keys ENABLE ALWAYS TRIGGER refuse_change;
      GRANT SELECT, INSERT ON masking.destroyed_keys TO ${runtime};

      DROP TRIGGER refuse_change ON masking.session_keys;
      DROP TRIGGER refuse_change ON masking.originals;
      CREATE FUNCTION masking.guard_session_key() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF TG_OP = 'DELETE' THEN
          IF EXISTS (SELECT FROM masking.destroyed_keys WHERE key_id = OLD.key_id) THEN RETURN OLD; END IF;
        ELSIF (NEW.key_id, NEW.session_id, NEW.stored_at) = (OLD.key_id, OLD.session_id, OLD.stored_at)
          AND NEW.vault_key_id <> OLD.vault_key_id AND NEW.wrapped <> OLD.wrapped THEN RETURN NEW;
        END IF;
        RAISE EXCEPTION 'masking.session_keys takes no % but for a key that is destroyed or wrapped anew', TG_OP
          USING ERRCODE = 'insufficient_privilege';
      END $$;
      CREATE FUNCTION masking.guard_original() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF TG_OP = 'UPDATE' THEN
          IF (NEW.original_id, NEW.session_id, NEW.call_id, NEW.key_id, NEW.endpoint, NEW.direction, NEW.sha256)
            = (OLD.original_id, OLD.session_id, OLD.call_id, OLD.key_id, OLD.endpoint, OLD.direction, OLD.sha256)
            AND NEW.sealed = '' AND EXISTS (SELECT FROM masking.destroyed_keys WHERE key_id = OLD.key_id)
          THEN RETURN NEW; END IF;
        END IF;
        RAISE EXCEPTION 'masking.originals takes no % but for emptying what nobody can open', TG_OP
          USING ERRCODE = 'insufficient_privilege';
      END $$;`);
    for (const [table, guard, granted] of [
      ["session_keys", "guard_session_key", "UPDATE (vault_key_id, wrapped), DELETE"],
      ["originals", "guard_original", "UPDATE (sealed)"],
    ] as const) {
      await runner.query(`
        CREATE TRIGGER guard_change BEFORE UPDATE OR DELETE ON masking.${table}
          FOR EACH ROW EXECUTE FUNCTION masking.${guard}();
        CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON masking.${table}
          FOR EACH STATEMENT EXECUTE FUNCTION masking.refuse_change();
        ALTER TABLE masking.${table} ENABLE ALWAYS TRIGGER guard_change;
        ALTER TABLE masking.${table} ENABLE ALWAYS TRIGGER refuse_truncate;
        GRANT ${granted} ON masking.${table} TO ${runtime};`);
    }
    await runner.query(`
      CREATE TABLE masking.reveals (
        reveal_id text COLLATE "C" PRIMARY KEY,
        original_id text COLLATE "C" NOT NULL,
        requester_id text NOT NULL,
        justification text NOT NULL,
        digest text NOT NULL,
        status text NOT NULL CHECK (status IN ('pending', 'granted', 'denied', 'expired', 'withdrawn', 'shown')),
        expires_at timestamptz(3) NOT NULL,
        approved_by jsonb,
        CHECK ((status IN ('granted', 'shown')) <= (approved_by IS NOT NULL))
      );
      CREATE INDEX reveals_pending ON masking.reveals (requester_id) WHERE status = 'pending';
      GRANT SELECT, INSERT ON masking.reveals TO ${runtime};
      GRANT UPDATE (status, expires_at, approved_by) ON masking.reveals TO ${runtime};`);
  }

  async down(): Promise<void> {
    throw new Error("The vault is not taken down by a migration.");
  }
}
