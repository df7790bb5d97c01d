/** The people and workloads of the made-up company, each named after what they do. */
export interface Account {
  readonly sub: string;
  readonly name: string;
  readonly email: string;
  readonly groups: readonly string[];
}

const person = (sub: string, name: string, ...groups: string[]): Account => ({
  sub,
  name,
  email: `${sub}@example.com`,
  groups,
});

export const accounts: readonly Account[] = [
  person("engineer", "Erin Engineer", "payments-engineers"),
  person("contractor", "Chris Contractor", "payments-engineers", "payments-contractors"),
  person("lead", "Lee Lead", "payments-leads"),
  person("auditor", "Audrey Auditor", "auditors"),
  person("admin", "Adam Administrator", "administrators"),
];

export function accountNamed(sub: unknown): Account | undefined {
  return accounts.find((account) => account.sub === sub);
}

/** A pipeline that proves itself with a token of its own instead of a login. */
export const workload = {
  clientId: "ci-payments",
  groups: ["payments-ci"],
  /** Who the workload's token is meant for, and the `resource` it is asked for. */
  audience: "urn:countersign",
} as const;
