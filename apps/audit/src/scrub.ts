import { Inject, Injectable } from "@nestjs/common";
import { CountersignError, type RecordView } from "@countersign/contracts";
import {
  type GetNode,
  inclusionProof,
  leafHash,
  leafOf,
  verifyInclusion,
  verifyPayloads,
} from "@countersign/evidence";
import { Clock, EventLog, LOG, type Logger } from "@countersign/service-kit";
import { DataSource } from "typeorm";
import { AuditMetrics } from "./audit.metrics.js";
import { Checkpoints } from "./checkpoints.js";
import { eventOf, readPage } from "./records.js";
import { nodeReader } from "./tree.js";

const sliceRecords = 200;
/** Past this many altered records one more says nothing new. */
const toldMax = 1_000;

/**
 * Reads the stored log again and again, slice by slice, as a stranger would: each record has to lead to the newest
 * signed checkpoint. Whoever can change tables behind the triggers is found out (PCI DSS 10.3.4).
 */
@Injectable()
export class Scrub {
  #after = -1;
  readonly #told = new Set<number>();

  constructor(
    @Inject(DataSource) private readonly dataSource: DataSource,
    @Inject(Checkpoints) private readonly checkpoints: Checkpoints,
    @Inject(EventLog) private readonly eventLog: EventLog,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(AuditMetrics) private readonly metrics: AuditMetrics,
    @Inject(LOG) private readonly log: Logger,
  ) {}

  /** Verifies the next slice; begins anew after the last one. */
  async verifySlice(): Promise<void> {
    const checkpoint = await this.checkpoints.latest();
    if (!checkpoint) return;
    const { treeSize } = checkpoint;
    const page = { after: this.#after, limit: sliceRecords };
    const { records, next } = await readPage(this.dataSource, { before: treeSize }, page);
    const root = Buffer.from(checkpoint.rootHash, "hex");
    const getNode = nodeReader(this.dataSource);
    const proven = await Promise.all(records.map((record) => isProven(record, { treeSize, root, getNode })));
    let expected = this.#after + 1;
    for (const [position, record] of records.entries()) {
      if (record.logIndex > expected) await this.#tell({ logIndex: expected, id: missing }, treeSize);
      if (!proven[position]) await this.#tell(record, treeSize);
      expected = record.logIndex + 1;
    }
    const isLast = next === undefined;
    if (isLast && expected < treeSize) await this.#tell({ logIndex: expected, id: missing }, treeSize);
    this.#after = isLast ? -1 : next;
  }

  async #tell({ logIndex, id }: Pick<RecordView, "logIndex" | "id">, treeSize: number): Promise<void> {
    if (this.#told.has(logIndex) || this.#told.size >= toldMax) return;
    this.metrics.altered.inc();
    this.log.error(
      { code: "evidence_altered", logIndex, eventId: id, treeSize },
      "a stored record was altered",
    );
    await this.eventLog.append({
      topic: "audit.access",
      event: {
        id: this.clock.newId(),
        type: "EvidenceAltered",
        source: "audit",
        subject: String(logIndex),
        time: this.clock.now().toISOString(),
        data: { logIndex, eventId: id, treeSize },
      },
    });
    this.#told.add(logIndex);
  }
}

const missing = "missing";

async function isProven(
  record: RecordView,
  { treeSize: size, root, getNode }: { treeSize: number; root: Uint8Array; getNode: GetNode },
): Promise<boolean> {
  const { logIndex: index } = record;
  const event = eventOf(record);
  try {
    const proof = await inclusionProof(index, size, getNode);
    const isIncluded = verifyInclusion({ index, size, leafHash: leafHash(leafOf(event)), proof, root });
    return isIncluded && verifyPayloads(event).length === 0;
  } catch (error) {
    if (error instanceof CountersignError) return false;
    throw error;
  }
}
