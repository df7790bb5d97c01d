import { parseConfig } from "@countersign/service-kit";
import { z } from "zod";

const setupConfig = z.object({
  KAFKA_BROKERS: z.string().min(1),
  ADMIN_DATABASE_URL: z.url().describe("A role that may create databases and roles."),
  SECRETS_DIR: z
    .string()
    .min(1)
    .describe("Holds `<service>/database-password`; receives `<service>/database-url`."),
});
export type SetupConfig = z.infer<typeof setupConfig>;

export const readConfig = (env: NodeJS.ProcessEnv): SetupConfig => parseConfig("setup", setupConfig, env);
