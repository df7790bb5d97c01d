import type { EventOn } from "@countersign/contracts";
import type { Clock, Entry } from "@countersign/service-kit";

type HoldEvent = EventOn<"mcp.holds">;
type DataOf<T extends HoldEvent["type"]> = Extract<HoldEvent, { type: T }>["data"];

/** Something that all proxies have to know of a held call. */
export function holdEvent<T extends HoldEvent["type"]>(
  { clock }: { readonly clock: Clock },
  type: T,
  data: DataOf<T>,
): Entry {
  const about = { id: clock.newId(), source: "proxy" as const, time: clock.now().toISOString() };
  return { topic: "mcp.holds", event: { ...about, type, subject: data.sessionId, data } as HoldEvent };
}
