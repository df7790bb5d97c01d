import { type DynamicModule, Inject, Module } from "@nestjs/common";
import { TypeOrmModule } from "@nestjs/typeorm";
import { DataSource, type EntitySchema } from "typeorm";
import type { PostgresConfig } from "../config.js";
import { Health } from "../health.js";
import { CONFIG } from "../tokens.js";

/** Nest's entity classes or TypeORM entity schemas. */
type Entity = (new () => object) | EntitySchema;

/** The service's connection pool, as its runtime role; the tables were made beforehand by the owner. */
@Module({})
export class PostgresModule {
  static forSchema(schema: string, entities: readonly Entity[] = []): DynamicModule {
    return {
      module: PostgresModule,
      global: true,
      imports: [
        TypeOrmModule.forRootAsync({
          inject: [CONFIG],
          useFactory: (config: PostgresConfig) => ({
            type: "postgres" as const,
            url: config.DATABASE_URL,
            schema,
            entities: [...entities],
            installExtensions: false,
            retryAttempts: 10,
            retryDelay: 500,
            extra: {
              max: 10,
              connectionTimeoutMillis: 3_000,
              statement_timeout: 30_000,
              application_name: `countersign ${schema}`,
            },
          }),
        }),
        TypeOrmModule.forFeature([...entities]),
      ],
      exports: [TypeOrmModule],
    };
  }

  constructor(@Inject(DataSource) dataSource: DataSource, health: Health) {
    health.register("postgres", async () => {
      await dataSource.query("SELECT 1");
      return undefined;
    });
  }
}
