/** What carries JSON-RPC messages both ways to one server, and knows nothing of HTTP requests. */
export interface Wire {
  /** Resolves once the message is on its way. Throws `UpstreamFailed`. */
  send(message: Uint8Array, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void>;
  /** Stops and resumes reading, where a client is slower than the server. */
  pause(): void;
  resume(): void;
  /** Ends it and whatever runs for it; resolves when nothing is left. */
  close(): Promise<void>;
}

export interface WireEvents {
  /** One message, as its bytes came, line breaks at its end taken off. */
  message(bytes: Buffer): void;
  /** Lines that the server wrote to its log, where it has one. */
  logged(text: string): void;
  /** The wire ended by itself. Called at most once, and not after `close`. */
  closed(why: Error): void;
}

/** Opens a wire. The signal ends the opening, not the wire. */
export type OpenWire = (
  events: WireEvents,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
) => Promise<Wire>;
