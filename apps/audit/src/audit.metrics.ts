import { Inject, Injectable } from "@nestjs/common";
import { Counter, Gauge, Metrics } from "@countersign/service-kit";

/** What an operator is alerted by. Counters may run ahead of the log when a transaction is repeated, never behind. */
@Injectable()
export class AuditMetrics {
  readonly records: Counter;
  readonly gaps: Counter;
  readonly payloadMismatches: Counter;
  readonly altered: Counter;
  readonly treeSize: Gauge;
  readonly siemWaiting: Gauge;
  readonly quarantined: Counter;

  constructor(@Inject(Metrics) { registry, quarantined }: Metrics) {
    const registers = [registry];
    this.quarantined = quarantined;
    this.records = new Counter({
      name: "countersign_audit_records_total",
      help: "Records added to the log.",
      registers,
    });
    this.gaps = new Counter({
      name: "countersign_audit_recorder_gaps_total",
      help: "Holes and broken links in a recorder's numbering. Any value above zero needs a look.",
      labelNames: ["reason"],
      registers,
    });
    this.payloadMismatches = new Counter({
      name: "countersign_audit_payload_mismatches_total",
      help: "Payloads that are not what their digest says. Any value above zero needs a look.",
      labelNames: ["topic"],
      registers,
    });
    this.altered = new Counter({
      name: "countersign_audit_records_altered_total",
      help: "Stored records that no longer lead to the signed checkpoint. Any value above zero is an incident.",
      registers,
    });
    this.treeSize = new Gauge({
      name: "countersign_audit_tree_size",
      help: "Records under the newest checkpoint.",
      registers,
    });
    this.siemWaiting = new Gauge({
      name: "countersign_audit_siem_waiting",
      help: "Records that have not reached siem.ocsf yet.",
      registers,
    });
  }
}
