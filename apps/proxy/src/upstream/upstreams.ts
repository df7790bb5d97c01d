import { CountersignError, type Endpoint } from "@countersign/contracts";
import type { Logger, Metrics } from "@countersign/service-kit";
import { Agent } from "undici";
import { type ProxyConfig, vaultToken } from "../config.js";
import { CircuitBreaker } from "./circuit-breaker.js";
import { credentialOf } from "./credentials/credential.js";
import { Secrets } from "./credentials/secrets.js";
import { requestToken } from "./credentials/token-request.js";
import { Vault } from "./credentials/vault.js";
import { DuplexUpstream } from "./duplex/duplex.upstream.js";
import type { OpenWire } from "./duplex/wire.js";
import { HttpUpstream } from "./http/http.upstream.js";
import { openSse } from "./legacy-sse/sse.wire.js";
import { Keeper } from "./stdio/keeper.js";
import { openStdio } from "./stdio/stdio.wire.js";
import type { Upstream, UpstreamAnswer, UpstreamRequest } from "./upstream.js";
import { UpstreamMetrics } from "./upstream.metrics.js";
import { UpstreamFailed } from "./upstream-failed.js";

const connectionsMax = 256;
/** Each client that listens to a server keeps a connection; they have a pool of their own, so that no call waits for one. */
const streamsMax = 4_096;
const connection = {
  connect: { timeout: 5_000 },
  keepAliveTimeout: 30_000,
  headersTimeout: 0,
  bodyTimeout: 0,
} as const;
/** Streams that this proxy keeps open to one server of the older HTTP+SSE transport. */
const sseStreamsMax = 1_000;
const sseIdleMs = 15 * 60 * 1_000;

interface Known {
  /** The settings it was made of; others make another one. */
  readonly made: string;
  readonly upstream: Upstream;
  readonly breaker: CircuitBreaker;
  readonly problems: Problems;
}

/** What is wrong with the credential of an endpoint. */
interface Problems {
  /** It could not be had or was refused, as the last call found out. */
  ofCall?: string;
  /** It holds still, but its renewal fails: a good answer says nothing about that, only a renewal does. */
  ofRenewal?: string;
}

/** The upstream MCP servers of all endpoints, each made when it is first asked for and again when its settings change. */
export class Upstreams {
  readonly #known = new Map<string, Known>();
  readonly #agent = new Agent({ ...connection, connections: connectionsMax });
  readonly #streams = new Agent({ ...connection, connections: streamsMax });
  readonly #keeper = new Keeper();
  readonly #secrets: Secrets;
  readonly #metrics: UpstreamMetrics;

  constructor(
    private readonly config: ProxyConfig,
    private readonly log: Logger,
    metrics: Metrics,
  ) {
    this.#secrets = new Secrets(
      new Vault({
        address: config.VAULT_ADDR,
        namespace: config.VAULT_NAMESPACE,
        token: () => vaultToken(config),
        now: () => performance.now(),
      }),
    );
    this.#metrics = new UpstreamMetrics(metrics, {
      open: () => [...this.#known].flatMap(([name, { breaker }]) => (breaker.open ? [name] : [])),
      programs: () =>
        new Map(
          [...this.#known].flatMap(([name, { upstream }]) =>
            upstream instanceof DuplexUpstream ? [[name, upstream.wires]] : [],
          ),
        ),
    });
  }

  /** Which endpoints' credentials fail at the moment, for `/readyz`. */
  get credentialProblems(): string | undefined {
    const failing = [...this.#known].flatMap(([name, { problems }]) => {
      const problem = problems.ofCall ?? problems.ofRenewal;
      return problem === undefined ? [] : [`${name}: ${problem}`];
    });
    return failing.length === 0 ? undefined : failing.join(", ");
  }

  /** Throws `UpstreamFailed` where there is no answer to pass on. */
  async send(endpoint: Endpoint, request: UpstreamRequest): Promise<UpstreamAnswer> {
    const known = this.#knownOf(endpoint);
    const { breaker } = known;
    if (!breaker.admits(performance.now())) {
      throw this.#counted(
        endpoint,
        new UpstreamFailed(
          "upstream_unavailable",
          "The upstream MCP server failed several times in a row and is given a moment; the call was not made. Try again later.",
          { sent: false },
        ),
      );
    }
    try {
      const answer = await known.upstream.send(request);
      breaker.succeeded();
      if (answer.status === 401 || answer.status === 403) {
        known.problems.ofCall = this.#credentialFailed(endpoint, refused);
      } else delete known.problems.ofCall;
      return answer;
    } catch (error) {
      if (!(error instanceof UpstreamFailed)) {
        breaker.abandoned();
        throw request.signal.aborted ? this.#counted(endpoint, tooLate(error)) : error;
      }
      if (error.code === "upstream_unavailable" || error.code === "upstream_broke_off") {
        breaker.failed(performance.now());
      } else breaker.abandoned();
      if (error.code === "upstream_credential_failed") {
        known.problems.ofCall = this.#credentialFailed(endpoint, error.cause ?? error);
      }
      throw this.#counted(endpoint, error);
    }
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#known.values()].map(({ upstream }) => upstream.close()));
    this.#keeper.close();
    await Promise.all([this.#agent.destroy(), this.#streams.destroy()]);
  }

  #knownOf(endpoint: Endpoint): Known {
    const made = JSON.stringify([endpoint.upstream, endpoint.messageBytesMax]);
    const before = this.#known.get(endpoint.name);
    if (before?.made === made) return before;
    void before?.upstream.close();
    const problems: Problems = {};
    const upstream = this.#make(endpoint, problems);
    const known: Known = { made, upstream, breaker: new CircuitBreaker(), problems };
    this.#known.set(endpoint.name, known);
    return known;
  }

  #make(endpoint: Endpoint, problems: Problems): Upstream {
    const { name, upstream, messageBytesMax } = endpoint;
    if (upstream.transport === "stdio") {
      const tools = {
        secrets: this.#secrets,
        keeper: this.#keeper,
        commandsAllowed: this.config.STDIO_COMMANDS,
        path: this.config.PATH,
        logged: (bytes: number) => this.#metrics.logged.inc({ endpoint: name }, bytes),
      };
      return this.#duplex(
        endpoint,
        (events) => openStdio(upstream, messageBytesMax, tools, events),
        upstream.processesMax,
        upstream.idleSeconds * 1_000,
      );
    }
    const tools = {
      calls: this.#agent,
      streams: this.#streams,
      credential: credentialOf(upstream.credential, {
        secrets: this.#secrets,
        fetchToken: (settings, secret) => requestToken(settings, secret, this.#agent),
        now: () => performance.now(),
        failed: (error) => {
          problems.ofRenewal = this.#credentialFailed(endpoint, error);
        },
        renewed: () => {
          delete problems.ofRenewal;
        },
      }),
    };
    if (upstream.transport !== "sse") return new HttpUpstream(upstream, tools);
    const open: OpenWire = (events, headers, signal) =>
      openSse(upstream, messageBytesMax, tools, events, headers, signal);
    return this.#duplex(endpoint, open, sseStreamsMax, sseIdleMs);
  }

  #duplex({ name: endpoint }: Endpoint, open: OpenWire, wiresMax: number, idleMs: number): DuplexUpstream {
    const stray = (): void => this.#metrics.stray.inc({ endpoint });
    return new DuplexUpstream({ endpoint, open, wiresMax, idleMs, log: this.log, stray });
  }

  /** Counts and tells a failure, and answers its code. */
  #credentialFailed({ name: endpoint }: Endpoint, error: unknown): string {
    this.#metrics.credentialFailures.inc({ endpoint });
    this.log.error(
      { endpoint, code: "upstream_credential_failed", error },
      "the gateway's credential for an upstream cannot be had or was refused",
    );
    return codeOf(error);
  }

  #counted({ name: endpoint }: Endpoint, error: UpstreamFailed): UpstreamFailed {
    this.#metrics.failures.inc({ endpoint, code: error.code });
    return error;
  }
}

/** The pipeline knows whether it was the client, the session or the time; a client only hears of the last. */
const tooLate = (cause: unknown): UpstreamFailed =>
  new UpstreamFailed(
    "upstream_broke_off",
    "The upstream MCP server did not answer in time; whether the call had an effect is not known.",
    { sent: true, cause },
  );

const refused = new CountersignError(
  "upstream_credential_refused",
  "An upstream refused the gateway's credential: renew it where it is kept.",
);

const codeOf = (error: unknown): string => (error instanceof CountersignError ? error.code : "failed");
