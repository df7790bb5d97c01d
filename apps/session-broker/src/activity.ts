import { Injectable } from "@nestjs/common";
import { id, type TopicName } from "@countersign/contracts";
import type { Delivery } from "@countersign/service-kit";
import type { EntityManager } from "typeorm";
import { z } from "zod";
import { schemaName as schema } from "./schema-name.js";

export const trafficTopic: TopicName = "mcp.traffic";

/** What a session's user or its server did; a refused call and what a server says unasked keep no session alive. */
const countedTypes: ReadonlySet<string> = new Set([
  "CallIntended",
  "CallReleased",
  "CallCompleted",
  "MessageRecorded",
]);

const used = z.object({ sessionId: id, method: z.string(), direction: z.string().optional() });

/** Clients send pings by themselves; were they to count, no session would ever be idle. */
const isUse = ({ method, direction }: z.infer<typeof used>): boolean =>
  method !== "ping" && direction !== "server_to_client";

/** Keeps when each session was last used, from the record of calls, a batch at a time. */
@Injectable()
export class Activity {
  async record(deliveries: readonly Delivery[], manager: EntityManager): Promise<void> {
    const lastAt = new Map<string, string>();
    let seenUntil: string | undefined;
    // Messages that cannot be read are the audit service's to quarantine; it follows the same topic.
    for (const { event } of deliveries) {
      if (!event) continue;
      if (seenUntil === undefined || event.time > seenUntil) seenUntil = event.time;
      if (!countedTypes.has(event.type)) continue;
      const { data } = used.safeParse(event.data);
      if (data && isUse(data) && event.time > (lastAt.get(data.sessionId) ?? ""))
        lastAt.set(data.sessionId, event.time);
    }
    if (lastAt.size > 0)
      await manager.query(
        // Locked in the order of ids first, as all do who lock several; any other order could be a deadlock.
        `WITH used AS MATERIALIZED (
           SELECT session_id FROM "${schema}".sessions
           WHERE session_id = ANY($1) AND status = 'active' ORDER BY session_id FOR NO KEY UPDATE
         )
         UPDATE "${schema}".sessions AS s SET last_activity_at = greatest(s.last_activity_at, a.at)
         FROM used JOIN unnest($1::uuid[], $2::timestamptz[]) AS a (session_id, at) USING (session_id)
         WHERE s.session_id = used.session_id`,
        [[...lastAt.keys()], [...lastAt.values()]],
      );
    if (seenUntil !== undefined)
      await manager.query(`UPDATE "${schema}".traffic_seen SET until = greatest(until, $1)`, [seenUntil]);
  }
}
