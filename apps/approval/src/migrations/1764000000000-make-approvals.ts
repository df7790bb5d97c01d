import { consumerOffsetsTable, outboxTable, runtimeRole } from "@countersign/service-kit";
import type { MigrationInterface, QueryRunner } from "typeorm";
import { schemaName as schema } from "../schema-name.js";

const role = runtimeRole(schema);

export class MakeApprovals1764000000000 implements MigrationInterface {
  readonly name = "MakeApprovals1764000000000";

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE "${schema}".approvals (
        approval_id uuid PRIMARY KEY,
        status text NOT NULL CHECK (status IN ('pending', 'granted', 'denied', 'expired', 'withdrawn')),
        requester_id text NOT NULL,
        request jsonb NOT NULL,
        requested_at timestamptz(3) NOT NULL,
        expires_at timestamptz(3) NOT NULL,
        settled_at timestamptz(3),
        decided_by jsonb,
        comment text,
        CHECK ((status = 'pending') = (settled_at IS NULL)),
        CHECK ((status IN ('granted', 'denied')) = (decided_by IS NOT NULL))
      );
      CREATE INDEX approvals_pending ON "${schema}".approvals (expires_at) WHERE status = 'pending';
      CREATE INDEX approvals_by_requester ON "${schema}".approvals (requester_id, approval_id DESC);
      GRANT SELECT, INSERT, UPDATE ON "${schema}".approvals TO "${role}";

      ${consumerOffsetsTable(schema)}
      ${outboxTable(schema)}
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE "${schema}".approvals, "${schema}".consumer_offsets, "${schema}".outbox`);
  }
}
