import type { WorkloadIssuer } from "@countersign/configuration";
import type { Principal } from "@countersign/contracts";
import { type Claims, claimAt } from "./claims.js";
import { groupsIn } from "./groups.js";
import { principalOf } from "./principal.js";

type Issuer = Pick<WorkloadIssuer, "id" | "groupsClaim" | "groups" | "workloads">;

/**
 * The workload that verified claims stand for. Where the issuer's workloads are listed, one of them has to fit and
 * gives the principal its name; otherwise the subject does. Undefined for a token that is nobody's.
 */
export function workloadOf(issuer: Issuer, claims: Claims): Principal | undefined {
  const always = [...groupsIn(claims, issuer.groupsClaim), ...issuer.groups];
  const about = { kind: "workload", provider: issuer.id, name: claims["name"] } as const;
  if (issuer.workloads.length === 0)
    return principalOf({ ...about, subject: String(claims["sub"]), groups: always });
  const found = issuer.workloads.find((workload) =>
    Object.entries(workload.claims).every(([path, pattern]) => fits(claimAt(claims, path), pattern)),
  );
  return found && principalOf({ ...about, subject: found.name, groups: [...always, ...found.groups] });
}

/** `*` stops at the separators of repositories, branches and subjects, so that `refs/heads/*` is no `refs/heads/a/b`. */
function fits(claim: unknown, pattern: string): boolean {
  const values: unknown[] = Array.isArray(claim) ? claim : [claim];
  const expression = new RegExp(`^${pattern.split("*").map(escaped).join("[^/:]*")}$`, "u");
  return values.some(
    (value) => ["string", "number", "boolean"].includes(typeof value) && expression.test(String(value)),
  );
}

/** What is escaped is what has a meaning outside a class: in this mode, an escape that is not needed is an error. */
const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
