import { join } from "node:path";
import { type ServiceName, serviceNames } from "@countersign/contracts";
import { repositoryRoot } from "./repository.js";

/** The parts that are Node programs of this repository and speak HTTP. */
export const httpParts = [...serviceNames, "dev-idp", "payments"] as const satisfies readonly (
  | ServiceName
  | "dev-idp"
  | "payments"
)[];
export type HttpPart = (typeof httpParts)[number];

const folders: Partial<Record<HttpPart, string>> = {
  "dev-idp": "infra/dev-idp",
  payments: "test/fixtures/payments-server",
};

/** The built program of a part. */
export function programOf(name: HttpPart): string {
  return join(repositoryRoot, folders[name] ?? `apps/${name}`, "dist/main.js");
}
