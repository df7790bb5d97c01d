import { CountersignError } from "@countersign/contracts";

export type UpstreamFailure =
  /** It cannot be reached, or was given a rest after failing several times. */
  | "upstream_unavailable"
  /** It broke off before it answered. */
  | "upstream_broke_off"
  /** Its session was ended: with the Countersign session, by its client, or after a time without use. */
  | "upstream_session_over"
  /** It runs as many sessions or calls as it may. */
  | "upstream_busy"
  /** The gateway's own credential cannot be had, or was refused. */
  | "upstream_credential_failed"
  /** It does not speak MCP as its endpoint says it does. */
  | "upstream_misbehaved";

/** No answer of the upstream to pass on. The message is for the client: it names no host, no path and no secret. */
export class UpstreamFailed extends CountersignError {
  /** False where the call certainly never left the gateway. */
  readonly sent: boolean;

  constructor(code: UpstreamFailure, message: string, options: { sent: boolean; cause?: unknown }) {
    super(code, message, "cause" in options ? { cause: options.cause } : {});
    this.sent = options.sent;
  }
}
