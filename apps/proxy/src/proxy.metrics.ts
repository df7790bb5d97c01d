import { Counter, Gauge, Histogram, type Metrics } from "@countersign/service-kit";

/** What the proxy measures; labels are names of endpoints and outcomes, never of people or data. */
export class ProxyMetrics {
  readonly calls: Counter<"endpoint" | "outcome">;
  readonly refusals: Counter<"reason">;
  readonly findings: Counter<"endpoint" | "kind">;
  readonly latency: Histogram<"endpoint">;

  constructor(metrics: Metrics, held: () => number) {
    const registers = [metrics.registry];
    this.calls = new Counter({
      name: "countersign_calls_total",
      help: "Calls by how they ended.",
      labelNames: ["endpoint", "outcome"],
      registers,
    });
    this.refusals = new Counter({
      name: "countersign_refusals_total",
      help: "Requests refused by the gateway, by reason.",
      labelNames: ["reason"],
      registers,
    });
    this.findings = new Counter({
      name: "countersign_findings_total",
      help: "Card data found and masked, by kind.",
      labelNames: ["endpoint", "kind"],
      registers,
    });
    this.latency = new Histogram({
      name: "countersign_call_seconds",
      help: "Time from a call's arrival to its recorded outcome.",
      labelNames: ["endpoint"],
      buckets: [0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    });
    void new Gauge({
      name: "countersign_calls_held",
      help: "Calls that wait for an approval in this process.",
      registers,
      collect() {
        this.set(held());
      },
    });
  }
}
