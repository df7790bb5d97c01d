import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

export { Counter, Gauge, Histogram, Registry } from "prom-client";

/** The service's own registry: Node's runtime figures and what every service measures of Kafka. */
export class Metrics {
  readonly registry = new Registry();
  readonly appends = new Histogram({
    name: "countersign_log_append_seconds",
    help: "Time from queueing to acknowledgement by all in-sync replicas, per batch.",
    buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers: [this.registry],
  });
  readonly appendsFailed = new Counter({
    name: "countersign_log_append_failures_total",
    help: "Batches that the log did not acknowledge.",
    registers: [this.registry],
  });
  readonly consumed = new Counter({
    name: "countersign_events_consumed_total",
    help: "Events handled, by topic.",
    labelNames: ["topic"],
    registers: [this.registry],
  });
  readonly quarantined = new Counter({
    name: "countersign_events_quarantined_total",
    help: "Messages that could not be read, by topic and reason. Any value above zero needs a look.",
    labelNames: ["topic", "reason"],
    registers: [this.registry],
  });
  readonly lag = new Gauge({
    name: "countersign_consumer_lag",
    help: "Messages behind the end of a topic at the last batch.",
    labelNames: ["topic", "partition"],
    registers: [this.registry],
  });

  constructor(service: string) {
    this.registry.setDefaultLabels({ service });
    collectDefaultMetrics({ register: this.registry });
  }
}
