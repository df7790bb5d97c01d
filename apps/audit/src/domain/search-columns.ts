import type { EventMessage } from "@countersign/contracts";

/** What a record can be found by. */
export interface SearchColumns {
  readonly sessionId?: string;
  readonly principalId?: string;
  readonly endpoint?: string;
  /** The tool, resource or prompt. */
  readonly tool?: string;
  readonly method?: string;
  readonly outcome?: string;
}

/** PostgreSQL refuses an index entry of more than some 2,700 bytes; a longer value is found by its beginning. */
const charactersMax = 256;

/** Reads the columns out of an event. Whatever is missing or of another type has none; nothing is refused here. */
export function searchColumnsOf({ type, data }: Pick<EventMessage, "type" | "data">): SearchColumns {
  const fields = objectOf(data);
  const columns = {
    sessionId: searchable(fields["sessionId"]),
    principalId:
      searchable(objectOf(fields["principal"])["id"]) ??
      searchable(fields["principalId"]) ??
      searchable(objectOf(fields["by"])["id"]) ??
      searchable(objectOf(fields["requester"])["id"]) ??
      searchable(fields["requesterId"]),
    endpoint: searchable(fields["endpoint"]),
    tool: searchable(fields["target"]) ?? searchable(fields["tool"]),
    method: searchable(fields["method"]),
    outcome: type === "CallRefused" ? "refused" : searchable(fields["outcome"]),
  };
  return Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== undefined));
}

/** The form in which a value is stored to be found, and in which a query has to ask for it. */
export const searchable = (value: unknown): string | undefined =>
  typeof value === "string" && value !== ""
    ? value.replaceAll("\0", "\u{fffd}").slice(0, charactersMax).toWellFormed()
    : undefined;

const objectOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
