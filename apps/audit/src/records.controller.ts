import { Controller, Get, Header, Inject, Param, Query, UseFilters } from "@nestjs/common";
import { id, type Principal, type RecordQuery, recordQuery, type RecordView } from "@countersign/contracts";
import { ApiError, Caller, Shape } from "@countersign/service-kit";
import { DataSource } from "typeorm";
import { z } from "zod";
import { cardLikeRefused, holdsCardLike } from "./access/card-like.js";
import { EvidenceAccess } from "./access/evidence-access.js";
import { UnauthenticatedFilter } from "./access/unauthenticated.filter.js";
import { searchable } from "./domain/search-columns.js";
import { asShown } from "./masked-views.js";
import { endpointOfRecord, endpointOfSession, type Page, readPage, readRecord } from "./records.js";

export const logIndex = z.coerce.number().int().nonnegative().max(999_999_999_999, {
  error: "use a log index; no log has that many records",
});
const pageQuery = z.object({ after: logIndex.optional(), limit: recordQuery.shape.limit });

/** Search and replay. Every answer is on the log before it is given. */
@Controller()
@UseFilters(UnauthenticatedFilter)
export class RecordsController {
  constructor(
    @Inject(DataSource) private readonly dataSource: DataSource,
    @Inject(EvidenceAccess) private readonly access: EvidenceAccess,
  ) {}

  @Get("records")
  @Header("cache-control", "no-store")
  async search(
    @Caller() caller: Principal,
    @Query(new Shape(recordQuery.extend({ after: logIndex.optional() }))) query: RecordQuery,
  ): Promise<Page> {
    const { after = -1, limit, session, from, to, ...asked } = query;
    if (holdsCardLike(Object.values(asked))) {
      await this.access.refused("search", "query_holds_digits", caller);
      throw cardLikeRefused();
    }
    await this.access.permit(caller, "search", query.endpoint);
    const words = Object.fromEntries(Object.entries(asked).map(([name, value]) => [name, searchable(value)]));
    const page = await readPage(this.dataSource, { ...words, session, from, to }, { after, limit });
    await this.access.reads(caller, "search", query, page.records.length);
    return this.#shown(page);
  }

  @Get("records/:logIndex")
  @Header("cache-control", "no-store")
  async record(
    @Caller() caller: Principal,
    @Param("logIndex", new Shape(logIndex)) index: number,
  ): Promise<RecordView> {
    await this.access.permit(caller, "record", await endpointOfRecord(this.dataSource, index));
    const record = await readRecord(this.dataSource, index);
    await this.access.reads(caller, "record", { logIndex: index }, record ? 1 : 0);
    if (!record) throw recordUnknown();
    const [shown = record] = await asShown(this.dataSource, [record]);
    return shown;
  }

  @Get("sessions/:id/timeline")
  @Header("cache-control", "no-store")
  async timeline(
    @Caller() caller: Principal,
    @Param("id", new Shape(id)) session: string,
    @Query(new Shape(pageQuery)) { after = -1, limit }: z.infer<typeof pageQuery>,
  ): Promise<Page> {
    await this.access.permit(caller, "timeline", await endpointOfSession(this.dataSource, session));
    const page = await readPage(this.dataSource, { session }, { after, limit });
    await this.access.reads(caller, "timeline", { session, after, limit }, page.records.length);
    return this.#shown(page);
  }

  async #shown({ records, ...rest }: Page): Promise<Page> {
    return { records: await asShown(this.dataSource, records), ...rest };
  }
}

export const recordUnknown = (): ApiError =>
  new ApiError(404, "record_unknown", "The log has no record under this index yet.");
