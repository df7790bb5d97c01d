import { consumerOffsetsTable, outboxTable, runtimeRole } from "@countersign/service-kit";
import type { MigrationInterface, QueryRunner } from "typeorm";
import { schemaName as schema } from "../schema-name.js";

const role = runtimeRole(schema);

export class MakeSessions1764000000000 implements MigrationInterface {
  readonly name = "MakeSessions1764000000000";

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE "${schema}".sessions (
        session_id uuid PRIMARY KEY,
        status text NOT NULL CHECK (status IN ('requested', 'active', 'denied', 'revoked', 'expired')),
        principal_id text NOT NULL,
        endpoint text NOT NULL,
        request jsonb NOT NULL,
        requested_at timestamptz(3) NOT NULL,
        expires_at timestamptz(3),
        idle_seconds integer,
        last_activity_at timestamptz(3),
        ended_at timestamptz(3),
        reason text,
        CHECK (status <> 'active' OR (expires_at IS NOT NULL AND idle_seconds IS NOT NULL AND last_activity_at IS NOT NULL))
      );
      CREATE INDEX sessions_active ON "${schema}".sessions (expires_at) WHERE status = 'active';
      CREATE INDEX sessions_by_principal ON "${schema}".sessions (principal_id, session_id DESC);
      GRANT SELECT, INSERT, UPDATE ON "${schema}".sessions TO "${role}";

      CREATE TABLE "${schema}".bundles (
        number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        version text NOT NULL,
        bundle json NOT NULL
      );
      GRANT SELECT, INSERT ON "${schema}".bundles TO "${role}";

      CREATE TABLE "${schema}".traffic_seen (
        only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
        until timestamptz(3) NOT NULL
      );
      INSERT INTO "${schema}".traffic_seen (until) VALUES ('epoch');
      GRANT SELECT, UPDATE ON "${schema}".traffic_seen TO "${role}";

      ${consumerOffsetsTable(schema)}
      ${outboxTable(schema)}
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE "${schema}".sessions, "${schema}".bundles, "${schema}".traffic_seen,
        "${schema}".consumer_offsets, "${schema}".outbox`);
  }
}
