import { parseConfig } from "@countersign/service-kit";
import { z } from "zod";

const setupConfig = z.object({
  KAFKA_BROKERS: z.string().min(1),
  ADMIN_DATABASE_URL: z.url().describe("A role that may create databases and roles."),
  ADMIN_DATABASE_PASSWORD: z.string().optional().describe("Where the URL holds none."),
  SECRETS_DIR: z
    .string()
    .min(1)
    .describe("Holds `<service>/database-password`; receives `<service>/database-url`."),
  PAYMENTS_DATABASE: z
    .enum(["true", "false"])
    .default("false")
    .describe("Whether the payments server of the demonstration is to have a database too."),
});
export type SetupConfig = z.infer<typeof setupConfig>;

export const readConfig = (env: NodeJS.ProcessEnv): SetupConfig => parseConfig("setup", setupConfig, env);

export function adminUrlOf({ ADMIN_DATABASE_URL, ADMIN_DATABASE_PASSWORD }: SetupConfig): string {
  const url = new URL(ADMIN_DATABASE_URL);
  if (ADMIN_DATABASE_PASSWORD !== undefined) url.password = encodeURIComponent(ADMIN_DATABASE_PASSWORD);
  return url.toString();
}
