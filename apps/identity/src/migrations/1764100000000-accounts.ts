import type { MigrationInterface, QueryRunner } from "typeorm";

/** All that belongs to one person is found at once when they log out or lose their access. */
export class Accounts1764100000000 implements MigrationInterface {
  name = "Accounts1764100000000";

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE INDEX oidc_models_account ON "identity".oidc_models ((payload->>'accountId'))
        WHERE payload->>'accountId' IS NOT NULL;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX "identity".oidc_models_account`);
  }
}
