import type { IncomingHttpHeaders } from "node:http";

/** A request of an admitted client, as streamable HTTP has it. */
export interface UpstreamRequest {
  readonly httpMethod: "POST" | "GET" | "DELETE";
  /** What travels upstream, by lower-case name. The credential is not among them: each upstream adds its own. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Whether its answer is a stream that stays open for what may happen. */
  readonly listens: boolean;
  /** Hears what a program that is started for this request writes to its log, without the gateway's secrets. */
  readonly logged?: (text: string) => void;
  /** Ends the request, and the reading of its answer. */
  readonly signal: AbortSignal;
  /** The Countersign session it is made in; what runs for it ends with it. */
  readonly session: { readonly id: string; readonly ended: AbortSignal };
}

/** An answer's bytes as they come. Leaving the reading early, or `destroy`, ends what sends them. */
export interface AnswerBody extends AsyncIterable<Buffer> {
  destroy(): unknown;
}

export interface UpstreamAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: AnswerBody;
}

/**
 * An MCP server as the pipeline sees it: something that answers streamable HTTP, whatever it speaks itself. Throws
 * `UpstreamFailed` where there is no answer to pass on.
 */
export interface Upstream {
  send(request: UpstreamRequest): Promise<UpstreamAnswer>;
  close(): Promise<void>;
}
