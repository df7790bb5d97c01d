import { runtimeRole } from "@countersign/service-kit";
import type { MigrationInterface, QueryRunner } from "typeorm";

/**
 * Everything the authorization server remembers. A row is found by the SHA-256 of its id, because the id of a code, a
 * refresh token or a login session is itself the secret: whoever reads this table holds nothing that opens a door.
 */
export class OidcModels1763800000000 implements MigrationInterface {
  name = "OidcModels1763800000000";

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE "identity".oidc_models (
        model text NOT NULL,
        id_sha256 bytea NOT NULL,
        payload jsonb NOT NULL,
        grant_id text,
        uid_sha256 bytea,
        user_code text,
        uses smallint NOT NULL DEFAULT 0,
        consumed_at timestamptz,
        expires_at timestamptz,
        PRIMARY KEY (model, id_sha256)
      );
      CREATE INDEX oidc_models_grant ON "identity".oidc_models (grant_id) WHERE grant_id IS NOT NULL;
      CREATE INDEX oidc_models_uid ON "identity".oidc_models (model, uid_sha256) WHERE uid_sha256 IS NOT NULL;
      CREATE INDEX oidc_models_expiry ON "identity".oidc_models (expires_at) WHERE expires_at IS NOT NULL;
      GRANT SELECT, INSERT, UPDATE, DELETE ON "identity".oidc_models TO "${runtimeRole("identity")}";
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE "identity".oidc_models`);
  }
}
