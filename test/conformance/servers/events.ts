import type { EventStore } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import type { JSONRPCMessage } from "@modelcontextprotocol/sdk/types.js";

/** What was sent on each stream, so that a client which comes back with the last event it saw gets the rest. */
export class Events implements EventStore {
  readonly #events: { stream: string; message: JSONRPCMessage }[] = [];

  storeEvent(stream: string, message: JSONRPCMessage): Promise<string> {
    this.#events.push({ stream, message });
    return Promise.resolve(`event-${this.#events.length - 1}`);
  }

  async replayEventsAfter(
    lastEventId: string,
    { send }: { send: (eventId: string, message: JSONRPCMessage) => Promise<void> },
  ): Promise<string> {
    const last = Number(lastEventId.replace("event-", ""));
    const stream = this.#events[last]?.stream ?? "";
    for (const [index, event] of this.#events.entries()) {
      const isMessage = Object.keys(event.message).length > 0;
      if (index > last && event.stream === stream && isMessage) await send(`event-${index}`, event.message);
    }
    return stream;
  }
}
