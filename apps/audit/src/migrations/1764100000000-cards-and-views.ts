import { runtimeRole } from "@countersign/service-kit";
import type { MigrationInterface, QueryRunner } from "typeorm";

const runtime = `"${runtimeRole("audit")}"`;

/**
 * What is looked up beside the log: which records hold which card, by keyed fingerprint, and which records the second
 * look of the masking service has something to say about. Both are made of the log alone.
 */
export class CardsAndViews1764100000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE audit.card_accesses (
        fingerprint bytea NOT NULL CHECK (octet_length(fingerprint) = 32),
        log_index bigint NOT NULL,
        PRIMARY KEY (fingerprint, log_index)
      );
      CREATE TABLE audit.masked_views (
        event_id text COLLATE "C" NOT NULL,
        missed_index bigint NOT NULL,
        PRIMARY KEY (event_id, missed_index)
      );
      GRANT SELECT, INSERT ON audit.card_accesses, audit.masked_views TO ${runtime};`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query("DROP TABLE audit.card_accesses, audit.masked_views");
  }
}
