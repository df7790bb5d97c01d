import type { Client, PolicyBundle, Principal } from "@countersign/contracts";
import type { PolicyDecision, PolicyRequest } from "@countersign/policy";

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
  /** Whether the policies would let a session begin there now, for a person who logged in with several factors. */
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
 * that is known from its sessions, and for each group, at each endpoint where it is permitted or was used. What policies
 * ask beyond that, such as a time of day or words of a justification, is answered as at this moment.
 */
export function reviewAccess(given: {
  readonly decide: Decide;
  readonly endpoints: readonly string[];
  readonly groups: readonly string[];
  readonly principals: readonly KnownPrincipal[];
  readonly now: Date;
}): Reach[] {
  const { decide, endpoints, now } = given;
  const ask = (
    principal: Principal,
    endpoint: string,
    client: Client,
    action: "openSession" | "openSessionUnattended" = "openSession",
  ): PolicyDecision =>
    decide({
      action,
      principal,
      endpoint,
      client,
      justification,
      authentication: { provider: "access-review", amr: ["mfa"], mfa: true, authTime: now.toISOString() },
    });

  const ofPrincipals = given.principals.flatMap(({ principal, client, uses }) =>
    endpoints.flatMap((endpoint): Reach[] => {
      const decision = ask(principal, endpoint, client);
      const use = uses.find((one) => one.endpoint === endpoint);
      if (!decision.allowed && !use) return [];
      const enough = (group: string): boolean =>
        decision.allowed && ask({ ...principal, groups: [group] }, endpoint, client).allowed;
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
    }),
  );

  const ofGroups = given.groups.flatMap((group) =>
    endpoints.flatMap((endpoint) =>
      (["human", "workload"] as const).flatMap((kind): Reach[] => {
        const member: Principal = { id: `access-review:${kind}`, kind, groups: [group] };
        const client = { id: "access-review" };
        const { allowed, policies } = ask(member, endpoint, client);
        const none = { sessions: 0, denied: 0, active: 0 };
        return allowed
          ? [
              {
                subject: "group",
                id: group,
                kind,
                endpoint,
                permitted: true,
                unattended: ask(member, endpoint, client, "openSessionUnattended").allowed,
                policies,
                throughGroups: [group],
                ...none,
              },
            ]
          : [];
      }),
    ),
  );
  return [...ofPrincipals, ...ofGroups];
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

/** The review as RFC 4180 writes tables, for a spreadsheet. */
export const csvOf = (review: readonly Reach[]): string =>
  [columns, ...review.map((line) => columns.map((column) => line[column]))]
    .map((line) => line.map(cell).join(","))
    .join("\r\n") + "\r\n";

function cell(value: string | number | boolean | readonly string[] | undefined): string {
  const text = typeof value === "object" ? value.join(" ") : String(value ?? "");
  // A spreadsheet takes a text that begins like this for a formula; names come from elsewhere.
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
