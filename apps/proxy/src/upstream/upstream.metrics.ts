import { Counter, Gauge, type Metrics } from "@countersign/service-kit";

/** What upstreams are measured by; labels are names of endpoints and codes, never of people, hosts or data. */
export class UpstreamMetrics {
  readonly failures: Counter<"endpoint" | "code">;
  readonly credentialFailures: Counter<"endpoint">;
  readonly stray: Counter<"endpoint">;
  readonly logged: Counter<"endpoint">;

  constructor(metrics: Metrics, state: { open: () => string[]; programs: () => Map<string, number> }) {
    const registers = [metrics.registry];
    this.failures = new Counter({
      name: "countersign_upstream_failures_total",
      help: "Requests that an upstream did not answer, by code.",
      labelNames: ["endpoint", "code"],
      registers,
    });
    this.credentialFailures = new Counter({
      name: "countersign_upstream_credential_failures_total",
      help: "Times the gateway's own credential could not be had, or was refused. Any increase needs a look.",
      labelNames: ["endpoint"],
      registers,
    });
    this.stray = new Counter({
      name: "countersign_upstream_stray_messages_total",
      help: "Messages of servers that were dropped because they are no MCP or answer nothing.",
      labelNames: ["endpoint"],
      registers,
    });
    this.logged = new Counter({
      name: "countersign_upstream_log_bytes_total",
      help: "Bytes that servers run by the gateway wrote to their standard error. All of them, also those that no record has.",
      labelNames: ["endpoint"],
      registers,
    });
    void new Gauge({
      name: "countersign_upstream_resting",
      help: "1 while an upstream is given a rest after failing several times in a row.",
      labelNames: ["endpoint"],
      registers,
      collect() {
        this.reset();
        for (const endpoint of state.open()) this.set({ endpoint }, 1);
      },
    });
    void new Gauge({
      name: "countersign_upstream_wires",
      help: "Programs and HTTP+SSE streams that are open for sessions.",
      labelNames: ["endpoint"],
      registers,
      collect() {
        this.reset();
        for (const [endpoint, count] of state.programs()) this.set({ endpoint }, count);
      },
    });
  }
}
