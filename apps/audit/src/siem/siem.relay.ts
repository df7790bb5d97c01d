import { Inject, Injectable } from "@nestjs/common";
import type { RecordView } from "@countersign/contracts";
import { describeError, EventLog, LOG, type Logger } from "@countersign/service-kit";
import { DataSource } from "typeorm";
import { AuditMetrics } from "../audit.metrics.js";
import { readPage } from "../records.js";
import { treeSize } from "../tree.js";
import { ocsfOf } from "./ocsf.js";

const batchMax = 200;
const pollMs = 1_000;
const retryMs = 2_000;

/**
 * Sends every record to `siem.ocsf`, in the order of the log. The position moves after Kafka has acknowledged, so a
 * crash in between sends some again: a SIEM recognises them by `metadata.uid`. One relay works at a time.
 */
@Injectable()
export class SiemRelay {
  #stopped = false;
  #running: Promise<void> | undefined;
  #wake: (() => void) | undefined;
  #awake = false;

  constructor(
    @Inject(DataSource) private readonly dataSource: DataSource,
    @Inject(EventLog) private readonly eventLog: EventLog,
    @Inject(AuditMetrics) private readonly metrics: AuditMetrics,
    @Inject(LOG) private readonly log: Logger,
  ) {}

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.wake();
    await this.#running;
  }

  /** Relays at once what was appended, instead of at the next poll. */
  wake(): void {
    this.#awake = true;
    this.#wake?.();
  }

  /** Sends one batch; answers whether there is more. */
  relay(): Promise<boolean> {
    return this.dataSource.transaction(async (manager) => {
      const rows: { next_index: string }[] = await manager.query(
        "SELECT next_index FROM audit.siem_position FOR UPDATE SKIP LOCKED",
      );
      if (!rows[0]) return false;
      const first = Number(rows[0].next_index);
      const { records, next } = await readPage(manager, {}, { after: first - 1, limit: batchMax });
      const last = records.at(-1);
      if (!last) return false;
      await this.eventLog.appendRaw("siem.ocsf", records.map(messageOf));
      await manager.query("UPDATE audit.siem_position SET next_index = $1", [last.logIndex + 1]);
      this.metrics.siemWaiting.set((await treeSize(manager)) - last.logIndex - 1);
      return next !== undefined;
    });
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        while ((await this.relay()) && !this.#stopped);
        await this.#pause(pollMs);
      } catch (error) {
        this.log.error({ code: "siem_stalled", reason: describeError(error) }, "records wait for the SIEM");
        await this.#pause(retryMs);
      }
    }
  }

  async #pause(ms: number): Promise<void> {
    if (!this.#awake && !this.#stopped) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#wake = undefined;
    this.#awake = false;
  }
}

/** OCSF as the data of a CloudEvents 1.0 message in binary mode. */
function messageOf(record: RecordView) {
  const event = ocsfOf(record);
  return {
    key: event.metadata.correlation_uid ?? record.subject,
    value: JSON.stringify(event),
    headers: {
      ce_specversion: "1.0",
      ce_id: record.id,
      ce_type: `ocsf.${event.class_uid}`,
      ce_source: "audit",
      ce_subject: record.subject,
      ce_time: record.time,
      ce_dataschema: "https://schema.ocsf.io/1.8.0",
      "content-type": "application/json",
    },
  };
}
