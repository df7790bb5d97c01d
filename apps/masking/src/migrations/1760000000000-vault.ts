import { consumerOffsetsTable, outboxTable, runtimeRole } from "@countersign/service-kit";
import type { MigrationInterface, QueryRunner } from "typeorm";

const runtime = `"${runtimeRole("masking")}"`;

/** The vault of sealed originals: rows are only ever added. What they hold can be read with the vault's keys alone. */
export class Vault1760000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE masking.session_keys (
        key_id text COLLATE "C" PRIMARY KEY,
        session_id text COLLATE "C" NOT NULL,
        vault_key_id text COLLATE "C" NOT NULL,
        wrapped text NOT NULL,
        stored_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE TABLE masking.originals (
        original_id text COLLATE "C" PRIMARY KEY,
        call_id text COLLATE "C" NOT NULL,
        session_id text COLLATE "C" NOT NULL,
        endpoint text NOT NULL,
        direction text NOT NULL,
        key_id text COLLATE "C" NOT NULL,
        sealed text NOT NULL,
        sha256 text NOT NULL,
        stored_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX originals_by_session ON masking.originals (session_id);
      CREATE INDEX originals_by_key ON masking.originals (key_id);`);
    await runner.query(`
      CREATE FUNCTION masking.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION 'masking.% belongs to the vault and takes no %; rows are only ever added', TG_TABLE_NAME, TG_OP
          USING ERRCODE = 'insufficient_privilege';
      END $$;`);
    for (const table of ["session_keys", "originals"]) {
      await runner.query(`
        CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON masking.${table}
          FOR EACH STATEMENT EXECUTE FUNCTION masking.refuse_change();
        ALTER TABLE masking.${table} ENABLE ALWAYS TRIGGER refuse_change;
        GRANT SELECT, INSERT ON masking.${table} TO ${runtime};`);
    }
    await runner.query(consumerOffsetsTable("masking"));
    await runner.query(outboxTable("masking"));
  }

  async down(): Promise<void> {
    throw new Error("The vault is not taken down by a migration.");
  }
}
