import type { MigrationInterface, QueryRunner } from "typeorm";
import { schemaName as schema } from "../schema-name.js";

/** Sessions, and more time for them, wait for approvals. */
export class WaitingSessions1764300000000 implements MigrationInterface {
  readonly name = "WaitingSessions1764300000000";

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE "${schema}".sessions
        ADD COLUMN granted_at timestamptz(3),
        ADD COLUMN pending_approval uuid,
        ADD COLUMN waits_until timestamptz(3),
        ADD COLUMN wait jsonb,
        ADD COLUMN approved jsonb,
        ADD COLUMN extension jsonb,
        DROP CONSTRAINT sessions_status_check,
        ADD CONSTRAINT sessions_status_check
          CHECK (status IN ('requested', 'waiting', 'active', 'denied', 'revoked', 'expired')),
        ADD CONSTRAINT sessions_waiting_check CHECK ((status = 'waiting') = (wait IS NOT NULL)),
        ADD CONSTRAINT sessions_pending_check CHECK (
          (pending_approval IS NULL) = (waits_until IS NULL)
          AND (status <> 'waiting' OR pending_approval IS NOT NULL));
      CREATE UNIQUE INDEX sessions_pending ON "${schema}".sessions (pending_approval)
        WHERE pending_approval IS NOT NULL;
      CREATE INDEX sessions_waiting ON "${schema}".sessions (waits_until) WHERE status = 'waiting';
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DELETE FROM "${schema}".sessions WHERE status = 'waiting';
      ALTER TABLE "${schema}".sessions
        DROP COLUMN granted_at, DROP COLUMN pending_approval, DROP COLUMN waits_until, DROP COLUMN wait,
        DROP COLUMN approved, DROP COLUMN extension,
        DROP CONSTRAINT sessions_status_check,
        ADD CONSTRAINT sessions_status_check
          CHECK (status IN ('requested', 'active', 'denied', 'revoked', 'expired'));
    `);
  }
}
