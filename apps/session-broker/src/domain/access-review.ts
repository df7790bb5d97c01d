import type { Client, PolicyBundle, Principal } from "@countersign/contracts";
import type { PolicyDecision, PolicyRequest } from "@countersign/policy";
import { shortestSeconds } from "./duration.js";

/** What one principal did on one endpoint in the time that is looked at. */
export interface Use {
  readonly endpoint: string;
  readonly sessions: number;
  readonly denied: number;
  readonly lastAt?: string | undefined;
  readonly active: number;
}

/** A principal as it was last seen, with the client it came by. */
export interface KnownPrincipal {
  readonly principal: Principal;
  readonly client: Client;
  readonly uses: readonly Use[];
}

export interface Reach {
  readonly subject: "principal" | "group";
  readonly id: string;
  readonly kind?: Principal["kind"];
  readonly name?: string;
  readonly email?: string;
  readonly endpoint: string;
  /** Whether the policies would let a short session begin there now, for a person who logged in with several factors. */
  readonly permitted: boolean;
  /** Whether it would begin at once; false where another person would have to approve it first. */
  readonly unattended: boolean;
  readonly policies: readonly string[];
  /** Groups each of which is enough; empty where no single one is, or where none is needed. */
  readonly throughGroups: readonly string[];
  readonly sessions: number;
  readonly denied: number;
  readonly lastAt?: string;
  readonly active: number;
}

type Decide = (request: PolicyRequest) => PolicyDecision;

const justification = "INC-0 CHG-0 access review";

/**
 * Who could reach what now, by which group and policy, and who did (PCI DSS 7.2.4, 7.2.5.1): a line for each principal
 * that is known from its sessions, and for each group, at each endpoint where it is permitted or was used. The question is
 * about the shortest session there is, since whoever may have that reaches the endpoint. What policies ask beyond that, such as a time of day or words of a justification, is answered as at this moment. In parts of a line
 * or none, so that whoever reads many can let others have their turn.
 */
export function* reviewAccess(given: {
  readonly decide: Decide;
  readonly endpoints: readonly string[];
  /** The groups that policies speak of. */
  readonly groups: readonly string[];
  readonly principals: readonly KnownPrincipal[];
  readonly now: Date;
}): Generator<readonly Reach[]> {
  const { endpoints, groups } = given;
  const ask = askOf(given.decide, given.now);
  const spokenOf = new Set(groups);
  for (const known of given.principals)
    for (const endpoint of endpoints) yield ofPrincipal(known, endpoint, spokenOf, ask);
  for (const group of groups)
    for (const endpoint of endpoints)
      for (const kind of ["human", "workload"] as const) yield ofGroup(group, kind, endpoint, ask);
}

type Ask = (
  principal: Principal,
  endpoint: string,
  client: Client,
  action?: "openSession" | "openSessionUnattended",
) => PolicyDecision;

const askOf =
  (decide: Decide, now: Date): Ask =>
  (principal, endpoint, client, action = "openSession") =>
    decide({
      action,
      principal,
      endpoint,
      client,
      justification,
      authentication: { provider: "access-review", amr: ["mfa"], mfa: true, authTime: now.toISOString() },
      durationSeconds: shortestSeconds,
    });

function ofPrincipal(
  { principal, client, uses }: KnownPrincipal,
  endpoint: string,
  spokenOf: ReadonlySet<string>,
  ask: Ask,
): Reach[] {
  const decision = ask(principal, endpoint, client);
  const use = uses.find((one) => one.endpoint === endpoint);
  if (!decision.allowed && !use) return [];
  const enough = (group: string): boolean =>
    decision.allowed &&
    spokenOf.has(group) &&
    ask({ ...principal, groups: [group] }, endpoint, client).allowed;
  const { name, email } = principal;
  return [
    {
      subject: "principal",
      id: principal.id,
      kind: principal.kind,
      ...(name === undefined ? {} : { name }),
      ...(email === undefined ? {} : { email }),
      endpoint,
      permitted: decision.allowed,
      unattended: decision.allowed && ask(principal, endpoint, client, "openSessionUnattended").allowed,
      policies: decision.policies,
      throughGroups: principal.groups.filter(enough),
      sessions: use?.sessions ?? 0,
      denied: use?.denied ?? 0,
      ...(use?.lastAt === undefined ? {} : { lastAt: use.lastAt }),
      active: use?.active ?? 0,
    },
  ];
}

function ofGroup(group: string, kind: Principal["kind"], endpoint: string, ask: Ask): Reach[] {
  const member: Principal = { id: `access-review:${kind}`, kind, groups: [group] };
  const client = { id: "access-review" };
  const { allowed, policies } = ask(member, endpoint, client);
  if (!allowed) return [];
  return [
    {
      subject: "group",
      id: group,
      kind,
      endpoint,
      permitted: true,
      unattended: ask(member, endpoint, client, "openSessionUnattended").allowed,
      policies,
      throughGroups: [group],
      sessions: 0,
      denied: 0,
      active: 0,
    },
  ];
}

/** The groups that policies speak of. */
export const groupsIn = (policies: PolicyBundle["policies"]): string[] => [
  ...new Set(
    policies.flatMap(({ text }) =>
      [...text.replaceAll(/\/\/.*$/gm, "").matchAll(/\bGroup::"((?:[^"\\]|\\.)*)"/g)].map(
        ([, name = ""]) => name,
      ),
    ),
  ),
];

const columns = [
  "subject",
  "id",
  "kind",
  "name",
  "email",
  "endpoint",
  "permitted",
  "unattended",
  "policies",
  "throughGroups",
  "sessions",
  "denied",
  "lastAt",
  "active",
] as const satisfies readonly (keyof Reach)[];

/** The review as RFC 4180 writes tables, for a spreadsheet; the last line says so where it is not the whole. */
export const csvOf = (review: readonly Reach[], complete: boolean): string =>
  [columns, ...review.map((line) => columns.map((column) => line[column])), ...(complete ? [] : [cutShort])]
    .map((line) => line.map(cell).join(","))
    .join("\r\n") + "\r\n";

const cutShort = columns.map((_, index) => (index === 0 ? "incomplete" : undefined));

function cell(value: string | number | boolean | readonly string[] | undefined): string {
  const text = typeof value === "object" ? value.join(" ") : String(value ?? "");
  // A spreadsheet takes a text that begins like this, in full width too, for a formula; names come from elsewhere.
  const harmless = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
