import type { Client, Finding, Principal } from "@countersign/contracts";

type Person = Pick<Principal, "id"> & Partial<Principal>;

/** OCSF's user types: a person, and an account of a service. */
const userTypes = { human: 1, workload: 4 } as const;

export const userOf = ({ id, kind, name, email, groups }: Person): Record<string, unknown> => ({
  uid: id,
  ...(kind === undefined ? {} : { type_id: userTypes[kind] }),
  ...(name === undefined ? {} : { name }),
  ...(email === undefined ? {} : { email_addr: email }),
  ...(groups === undefined ? {} : { groups: groups.map((group) => ({ name: group })) }),
});

export interface Who {
  readonly person?: Person | undefined;
  readonly client?: Client | undefined;
  readonly sessionId?: string | undefined;
  /** Where no person is known: the service that did it. */
  readonly service: string;
}

/** OCSF asks for at least one way to name an actor. */
export const actorOf = ({ person, client, sessionId, service }: Who): Record<string, unknown> => ({
  ...(person === undefined ? {} : { user: userOf(person) }),
  ...(client === undefined ? {} : { app_uid: client.id }),
  ...(client?.name === undefined ? {} : { app_name: client.name }),
  ...(sessionId === undefined ? {} : { session: { uid: sessionId } }),
  ...(person === undefined && client === undefined ? { app_name: `countersign ${service}` } : {}),
});

/** Where a request came from: an address where one is known, else the service that speaks. */
export const sourceOf = (clientAddress: string | undefined, service: string): Record<string, unknown> =>
  clientAddress === undefined ? { svc_name: `countersign ${service}` } : { ip: clientAddress };

const findingsMax = 100;

/** Card data that was found and masked; never more of it than the record holds. */
export const enrichmentsOf = (findings: readonly Finding[]): Record<string, unknown> =>
  findings.length === 0
    ? {}
    : {
        enrichments: findings.slice(0, findingsMax).map(({ kind, ...data }) => ({
          name: "card_data_found",
          type: "finding",
          value: kind,
          data,
        })),
      };
