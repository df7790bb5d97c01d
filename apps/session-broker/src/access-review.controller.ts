import type { ServerResponse } from "node:http";
import { setImmediate } from "node:timers/promises";
import { Controller, Get, Header, Inject, Query, Res } from "@nestjs/common";
import type { Principal } from "@countersign/contracts";
import { Caller, Clock, Shape } from "@countersign/service-kit";
import { DataSource } from "typeorm";
import { z } from "zod";
import { CurrentBundle } from "./bundle/current-bundle.js";
import { csvOf, groupsIn, type KnownPrincipal, type Reach, reviewAccess } from "./domain/access-review.js";
import { Permissions } from "./permissions.js";
import { schemaName as schema } from "./schema-name.js";

const daysMax = 400;
const principalsMax = 10_000;

/** Query of `GET /access-review`. */
const reviewQuery = z.object({ days: z.coerce.number().int().min(1).max(daysMax).default(90) });
type ReviewQuery = z.infer<typeof reviewQuery>;

export interface AccessReview {
  readonly at: string;
  readonly days: number;
  readonly bundleVersion: string;
  /** False where there are more principals than were looked at. */
  readonly complete: boolean;
  readonly access: readonly Reach[];
}

/** How long the review may keep revocations and ends of sessions waiting. */
const turnMsMax = 20;

type Row = Pick<KnownPrincipal, "principal" | "client" | "uses">;

/** Who could reach what, and who did: for administrators, who review it (PCI DSS 7.2.4, 7.2.5.1). */
@Controller()
export class AccessReviewController {
  constructor(
    @Inject(DataSource) private readonly dataSource: DataSource,
    @Inject(CurrentBundle) private readonly current: CurrentBundle,
    @Inject(Permissions) private readonly permissions: Permissions,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  @Get("access-review")
  async review(
    @Caller() caller: Principal,
    @Query(new Shape(reviewQuery)) { days }: ReviewQuery,
  ): Promise<AccessReview> {
    await this.permissions.requireAdministrator(caller);
    const { bundle, engine } = await this.current.read();
    const now = this.clock.now();
    const principals = await this.#known(days, now);
    const access = await inTurns(
      reviewAccess({
        decide: (request) => engine.decide(request, now),
        endpoints: bundle.endpoints.map(({ name }) => name),
        groups: groupsIn(bundle.policies),
        principals: principals.slice(0, principalsMax),
        now,
      }),
    );
    const complete = principals.length <= principalsMax;
    return { at: now.toISOString(), days, bundleVersion: bundle.version, complete, access };
  }

  /** The same as a table. */
  @Get("access-review.csv")
  @Header("content-type", "text/csv; charset=utf-8")
  async table(
    @Caller() caller: Principal,
    @Query(new Shape(reviewQuery)) query: ReviewQuery,
    @Res({ passthrough: true }) response: ServerResponse,
  ): Promise<string> {
    const { access, complete, at } = await this.review(caller, query);
    response.setHeader("content-disposition", `attachment; filename="access-review-${at.slice(0, 10)}.csv"`);
    return csvOf(access, complete);
  }

  /** Every principal that ever asked for a session, as it was the last time, with what it did in the last days. */
  #known(days: number, now: Date): Promise<Row[]> {
    return this.dataSource.query<Row[]>(
      `WITH latest AS (
         SELECT DISTINCT ON (principal_id) principal_id, request FROM "${schema}".sessions
         ORDER BY principal_id, session_id DESC LIMIT ${principalsMax + 1}
       ), used AS (
         SELECT principal_id, endpoint,
           count(*) FILTER (WHERE status IN ('active', 'revoked', 'expired'))::int AS sessions,
           count(*) FILTER (WHERE status = 'denied')::int AS denied,
           count(*) FILTER (WHERE status = 'active')::int AS active,
           max(requested_at) AS last_at
         FROM "${schema}".sessions WHERE requested_at > $1::timestamptz - make_interval(days => $2)
         GROUP BY principal_id, endpoint
       )
       SELECT l.request->'principal' AS principal, l.request->'client' AS client,
         coalesce(json_agg(json_build_object('endpoint', u.endpoint, 'sessions', u.sessions, 'denied', u.denied,
           'active', u.active, 'lastAt', to_char(u.last_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')))
           FILTER (WHERE u.endpoint IS NOT NULL), '[]') AS uses
       FROM latest l LEFT JOIN used u USING (principal_id)
       GROUP BY l.principal_id, l.request ORDER BY l.principal_id`,
      [now, days],
    );
  }
}

/** All of it, with a turn for whatever else this service has to do in between. */
async function inTurns<T>(parts: Iterable<readonly T[]>): Promise<T[]> {
  const all: T[] = [];
  let began = performance.now();
  for (const part of parts) {
    all.push(...part);
    if (performance.now() - began < turnMsMax) continue;
    await setImmediate();
    began = performance.now();
  }
  return all;
}
