import type { Clock, EventLog, Logger, TokenVerifier } from "@countersign/service-kit";
import type { ProxyConfig } from "./config.js";
import type { Scanner } from "./evidence/payloads.js";
import type { Recorder } from "./evidence/recorder.js";
import type { Recovery } from "./evidence/recovery.js";
import type { Sealer } from "./evidence/seal.js";
import type { Holds } from "./holds.js";
import type { Waiting } from "./waiting.js";
import type { ProxyMetrics } from "./proxy.metrics.js";
import type { McpSessionIds } from "./upstream/mcp-session-id.js";
import type { Upstreams } from "./upstream/upstreams.js";
import type { ToolBook } from "./tools/tool-book.js";
import type { PolicyView } from "./views/policy.view.js";
import type { SessionView } from "./views/session.view.js";

/** Everything the steps work with; made once, in `proxy.module.ts`. */
export interface Gateway {
  readonly config: ProxyConfig;
  readonly tokens: TokenVerifier;
  readonly policy: PolicyView;
  readonly sessions: SessionView;
  readonly tools: ToolBook;
  readonly scanner: Scanner;
  readonly sealer: Sealer;
  readonly recorder: Recorder;
  readonly recovery: Recovery;
  readonly holds: Holds;
  readonly waiting: Waiting;
  readonly upstream: Upstreams;
  readonly mcpSessionIds: McpSessionIds;
  readonly eventLog: EventLog;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: ProxyMetrics;
}
