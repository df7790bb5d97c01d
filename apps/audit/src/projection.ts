import { Inject, Injectable } from "@nestjs/common";
import type { RecorderGapDetected } from "@countersign/contracts";
import { type Frontier, type TreeNode, verifyPayloads } from "@countersign/evidence";
import { Clock, type Delivery, type Entry, LOG, type Logger, Outbox } from "@countersign/service-kit";
import type { EntityManager } from "typeorm";
import { AuditMetrics } from "./audit.metrics.js";
import { indexCards } from "./card-index.js";
import { type LogRecord, quarantinedRecord, recordOf } from "./domain/log-record.js";
import { newcomersAmong } from "./domain/newcomers.js";
import { idOfPlace } from "./domain/place-id.js";
import { followRecorders, type GapFound } from "./domain/recorder-gaps.js";
import { noteMaskedViews } from "./masked-views.js";
import { epochKey, readHeads, storeHeads } from "./recorder-heads.js";
import { insertRecords, knownLeaves } from "./records.js";
import { insertNodes, readFrontier } from "./tree.js";

/**
 * Appends batches of messages to the log. All of it happens in the transaction that also stores the batch's offset:
 * either the records, their tree nodes and the offset are there, or none of them is.
 */
@Injectable()
export class Projection {
  constructor(
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(AuditMetrics) private readonly metrics: AuditMetrics,
    @Inject(LOG) private readonly log: Logger,
  ) {}

  async append(deliveries: readonly Delivery[], manager: EntityManager): Promise<void> {
    // One sequencer at a time in the whole deployment; whoever was cut off loses the lock with its transaction.
    await manager.query("SELECT pg_advisory_xact_lock(hashtext('audit.sequencer'))");
    const now = this.clock.now();
    const records = await this.#newcomers(deliveries, now, manager);
    if (records.length === 0) return;
    const before = await readFrontier(manager);
    await insertRecords(manager, before.size, records);
    await insertNodes(manager, nodesOf(before, records));
    await indexCards(manager, before.size, records);
    await noteMaskedViews(manager, before.size, records);
    await this.outbox.add(manager, ...(await this.#alarms(records, now, manager)));
    this.metrics.records.inc(records.length);
  }

  async #newcomers(deliveries: readonly Delivery[], now: Date, manager: EntityManager): Promise<LogRecord[]> {
    const records = deliveries.map((delivery) => recordOf(delivery, now));
    const ids = [...records.map(({ event }) => event.id), ...deliveries.map(idOfPlace)];
    const newcomers = newcomersAmong(records, await knownLeaves(manager, ids), (position) =>
      quarantinedRecord({ ...(deliveries[position] as Delivery), problem: idTaken }, now),
    );
    for (const { quarantined } of newcomers) {
      if (!quarantined) continue;
      const { topic, partition, offset, reason, detail } = quarantined;
      this.metrics.quarantined.inc({ topic, reason });
      this.log.error({ topic, partition, offset, reason, code: detail }, "a message cannot be kept as it is");
    }
    return newcomers;
  }

  /** What is wrong with the new records and has to be told, once each. */
  async #alarms(records: readonly LogRecord[], now: Date, manager: EntityManager): Promise<Entry[]> {
    const recorders = records.flatMap(({ recorder }) => recorder ?? []);
    const heads = await readHeads(manager, [...new Map(recorders.map((r) => [epochKey(r), r])).values()]);
    const followed = followRecorders(heads, records, epochKey);
    await storeHeads(manager, [...followed.heads.values()]);
    const gaps = [...followed.gaps, ...this.#payloadMismatches(records)];
    for (const { gap } of gaps) {
      this.metrics.gaps.inc({ reason: gap.reason });
      this.log.error(
        { epoch: gap.epoch, seq: gap.foundSeq, reason: gap.reason },
        "a recorder's numbering broke",
      );
    }
    return gaps.map(({ eventId, gap }) => ({
      topic: "audit.access",
      event: {
        id: this.clock.newId(),
        type: "RecorderGapDetected",
        source: "audit",
        subject: gap.recorderId,
        time: now.toISOString(),
        cause: eventId,
        data: gap satisfies RecorderGapDetected,
      },
    }));
  }

  /** A text that is not what its digest says was changed after it was recorded: as bad as a broken link. */
  #payloadMismatches(records: readonly LogRecord[]): GapFound[] {
    const found: GapFound[] = [];
    for (const { event, place, recorder } of records) {
      if (verifyPayloads(event).length === 0) continue;
      this.metrics.payloadMismatches.inc({ topic: place.topic });
      this.log.error({ eventId: event.id, topic: place.topic }, "a payload is not what its digest says");
      if (!recorder) continue;
      const { id: recorderId, epoch, seq } = recorder;
      const gap = { recorderId, epoch, expectedSeq: seq, foundSeq: seq, reason: "hash_mismatch" as const };
      found.push({ eventId: event.id, gap });
    }
    return found;
  }
}

function nodesOf(frontier: Frontier, records: readonly LogRecord[]): TreeNode[] {
  const nodes: TreeNode[] = [];
  let grown = frontier;
  for (const { leafHash } of records) {
    const step = grown.append(leafHash);
    nodes.push(...step.nodes);
    grown = step.frontier;
  }
  return nodes;
}

const idTaken = { reason: "invalid_envelope", detail: "/id: another record has this id" } as const;
