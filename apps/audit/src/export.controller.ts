import { Readable } from "node:stream";
import { Controller, Get, Header, Inject, Query, StreamableFile, UseFilters } from "@nestjs/common";
import { id, type Principal, time } from "@countersign/contracts";
import { type BundleRecord, inclusionProof, writeBundle } from "@countersign/evidence";
import { ApiError, Caller, Clock, Shape } from "@countersign/service-kit";
import { DataSource } from "typeorm";
import { z } from "zod";
import { EvidenceAccess } from "./access/evidence-access.js";
import { UnauthenticatedFilter } from "./access/unauthenticated.filter.js";
import { CheckpointKey } from "./checkpoint-key.js";
import { Checkpoints } from "./checkpoints.js";
import { notSignedYet } from "./integrity.controller.js";
import { asExported } from "./masked-views.js";
import { countRecords, endpointOfSession, eventOf, type RecordFilter, readPage } from "./records.js";
import { nodeReader } from "./tree.js";

const exportQuery = z
  .object({ session: id.optional(), from: time.optional(), to: time.optional() })
  .refine(({ session, from }) => session !== undefined || from !== undefined, {
    error: "name a session, or a time that it begins from",
  });

export const exportRecordsMax = 100_000;
const pageRecords = 200;

/** Evidence to take away: `countersign verify` checks it with no network and no database. */
@Controller("export")
@UseFilters(UnauthenticatedFilter)
export class ExportController {
  constructor(
    @Inject(DataSource) private readonly dataSource: DataSource,
    @Inject(EvidenceAccess) private readonly access: EvidenceAccess,
    @Inject(Checkpoints) private readonly checkpoints: Checkpoints,
    @Inject(CheckpointKey) private readonly key: CheckpointKey,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  @Get()
  @Header("cache-control", "no-store")
  async export(
    @Caller() caller: Principal,
    @Query(new Shape(exportQuery)) query: z.infer<typeof exportQuery>,
  ): Promise<StreamableFile> {
    const { session } = query;
    const endpoint = session && (await endpointOfSession(this.dataSource, session));
    await this.access.permit(caller, "export", endpoint);
    // What happened up to now shall be in it, so now is signed.
    await this.checkpoints.signHead();
    const checkpoint = await this.checkpoints.latest();
    if (!checkpoint) throw notSignedYet();
    const filter = { ...query, before: checkpoint.treeSize };
    const count = await countRecords(this.dataSource, filter, exportRecordsMax + 1);
    if (count > exportRecordsMax) throw tooMany();
    await this.access.reads(caller, "export", query, count);
    const bundle = writeBundle(
      {
        checkpoint: checkpoint.note,
        privateKey: this.key.privateKey,
        keyName: this.key.origin,
        exportedAt: this.clock.now().toISOString(),
        query: { ...query },
      },
      this.#records(filter, checkpoint.treeSize),
    );
    return new StreamableFile(Readable.from(bundle), {
      type: "application/x-ndjson",
      disposition: `attachment; filename="evidence-${session ?? "log"}.ndjson"`,
    });
  }

  async *#records(filter: RecordFilter, size: number): AsyncGenerator<BundleRecord> {
    let after = -1;
    for (;;) {
      const { records, next } = await readPage(this.dataSource, filter, { after, limit: pageRecords });
      const getNode = nodeReader(this.dataSource);
      const proofs = await Promise.all(
        records.map((record) => inclusionProof(record.logIndex, size, getNode)),
      );
      const exported = await asExported(this.dataSource, records);
      for (const [position, record] of exported.entries()) {
        yield { index: record.logIndex, event: eventOf(record), proof: proofs[position] ?? [] };
      }
      if (next === undefined) return;
      after = next;
    }
  }
}

const tooMany = (): ApiError =>
  new ApiError(
    413,
    "export_too_large",
    `An export holds ${exportRecordsMax} records at the most; ask for a session or a shorter time.`,
  );
