import { consumerOffsetsTable, outboxTable, runtimeRole } from "@countersign/service-kit";
import type { MigrationInterface, QueryRunner } from "typeorm";

const runtime = `"${runtimeRole("audit")}"`;

/** Whoever may do what else, nobody changes these: not the service, not the owner, not a replication session. */
const immutable = ["records", "tree_nodes", "checkpoints"] as const;

/**
 * The evidence log. Records, tree nodes and checkpoints are only ever inserted. Times, ids and data are kept as the
 * text they arrived as, so that the bytes under a leaf can be made again exactly.
 *
 * What this does not stop: the owner and a superuser can drop a table, or its triggers first, and a superuser can edit
 * the files underneath. None of that goes unseen: the service reads the log again and again against its signed head
 * (`Scrub`, `Checkpoints`), every checkpoint is also on `audit.checkpoints`, every record on `siem.ocsf` and on its own
 * topic, and nobody can sign another head without the checkpoint key. Give that key to the service alone.
 */
export class EvidenceLog1760000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE audit.records (
        log_index bigint PRIMARY KEY CHECK (log_index >= 0),
        event_id text COLLATE "C" NOT NULL UNIQUE,
        leaf_hash bytea NOT NULL CHECK (octet_length(leaf_hash) = 32),
        topic text NOT NULL,
        kafka_partition integer NOT NULL,
        kafka_offset bigint NOT NULL,
        type text NOT NULL,
        source text NOT NULL,
        subject text NOT NULL,
        time text COLLATE "C" NOT NULL,
        cause text,
        data text NOT NULL,
        data_bytes integer NOT NULL,
        session_id text COLLATE "C",
        principal_id text COLLATE "C",
        endpoint text COLLATE "C",
        tool text COLLATE "C",
        method text COLLATE "C",
        outcome text COLLATE "C"
      );
      CREATE INDEX records_by_session ON audit.records (session_id, log_index) WHERE session_id IS NOT NULL;
      CREATE INDEX records_by_principal ON audit.records (principal_id, log_index) WHERE principal_id IS NOT NULL;
      CREATE INDEX records_by_endpoint ON audit.records (endpoint, tool, log_index) WHERE endpoint IS NOT NULL;
      CREATE INDEX records_by_type ON audit.records (type, log_index);
      CREATE INDEX records_by_time ON audit.records (time);

      CREATE TABLE audit.tree_nodes (
        level smallint NOT NULL CHECK (level >= 0),
        index bigint NOT NULL CHECK (index >= 0),
        hash bytea NOT NULL CHECK (octet_length(hash) = 32),
        PRIMARY KEY (level, index)
      );

      CREATE TABLE audit.checkpoints (
        tree_size bigint PRIMARY KEY CHECK (tree_size > 0),
        origin text NOT NULL,
        root_hash bytea NOT NULL CHECK (octet_length(root_hash) = 32),
        signed_at text NOT NULL,
        note text NOT NULL
      );`);
    await runner.query(`
      CREATE FUNCTION audit.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION 'audit.% is evidence and takes no %; rows are only ever added', TG_TABLE_NAME, TG_OP
          USING ERRCODE = 'insufficient_privilege',
                HINT = 'Append a new record that says what should have been different.';
      END $$;`);
    for (const table of immutable) {
      await runner.query(`
        CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.${table}
          FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
        ALTER TABLE audit.${table} ENABLE ALWAYS TRIGGER refuse_change;
        GRANT SELECT, INSERT ON audit.${table} TO ${runtime};`);
    }
    // What follows may change; it can be made again from the log, or repeats an event at worst.
    await runner.query(`
      CREATE TABLE audit.recorder_heads (
        recorder_id text COLLATE "C" NOT NULL,
        epoch text COLLATE "C" NOT NULL,
        seq bigint NOT NULL,
        hash text NOT NULL,
        stopped boolean NOT NULL,
        PRIMARY KEY (recorder_id, epoch)
      );
      CREATE TABLE audit.siem_position (
        singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
        next_index bigint NOT NULL
      );
      INSERT INTO audit.siem_position (next_index) VALUES (0);
      GRANT SELECT, INSERT, UPDATE ON audit.recorder_heads TO ${runtime};
      GRANT SELECT, UPDATE ON audit.siem_position TO ${runtime};`);
    await runner.query(consumerOffsetsTable("audit"));
    await runner.query(outboxTable("audit"));
  }

  async down(): Promise<void> {
    throw new Error("The evidence log is not taken down by a migration.");
  }
}
