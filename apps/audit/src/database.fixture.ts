import { createDatabase as create, type TestDatabase as Created } from "@countersign/service-kit/testing";
import { DataSource } from "typeorm";
import { auditSchema } from "./index.js";

export interface TestDatabase extends Created {
  readonly dataSource: DataSource;
}

/** A database of its own with the audit schema, and a pool as the service's runtime role. */
export async function createDatabase(serverUrl: string): Promise<TestDatabase> {
  const created = await create(serverUrl, auditSchema);
  const { url } = created;
  const dataSource = new DataSource({ type: "postgres", url, schema: "audit", installExtensions: false });
  await dataSource.initialize();
  return {
    ...created,
    dataSource,
    drop: async () => {
      await dataSource.destroy();
      await created.drop();
    },
  };
}
