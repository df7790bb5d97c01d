import { StreamMemory } from "@countersign/card-data";
import { reached } from "../evidence/moments.js";
import { AnswerRefused, type Reader } from "../answers/read-answer.js";
import { emptyBatch, recordMessage } from "../answers/record-answer.js";
import type { Call } from "../call.js";
import type { Gateway } from "../gateway.js";
import type { Outstanding } from "../outstanding.js";
import { relayEvent } from "../sse/relay-event.js";
import { SseParser, StreamRefused } from "../sse/sse.parser.js";
import { commit } from "./commit.js";
import type { Forwarded } from "./forward.js";

/**
 * Relays a stream message by message: what a chunk completes is masked and recorded in one append, then delivered. The
 * next chunk is read when the client has taken this one. A client that left no longer receives, but what the server
 * does for it is recorded to the end. A card that one message begins and the next ones end is masked in those. Calls that are outstanding afterwards were not answered on this stream.
 */
export async function relayStream(
  gateway: Gateway,
  call: Call,
  forwarded: Forwarded,
  outstanding: Outstanding,
  reader: Reader,
  headers: Record<string, string>,
): Promise<void> {
  const parser = new SseParser(call.admitted.endpoint.messageBytesMax);
  const onStream: Reader = { ...reader, memory: new StreamMemory() };
  call.reply.startStream(headers);
  try {
    for await (const chunk of forwarded.answer.body as AsyncIterable<Buffer>) {
      forwarded.alive();
      const events = parser.push(chunk);
      if (events.length === 0) continue;
      const before = outstanding.size;
      const batch = emptyBatch();
      let text = "";
      for (const event of events) {
        const relayed = relayEvent(event, onStream);
        for (const message of relayed.messages) await recordMessage(batch, message, call, outstanding, 200);
        text += relayed.text;
      }
      if (outstanding.size < before) reached("upstream answered");
      await commit(gateway, call, batch);
      const taken = call.reply.write(text);
      reached("answer passed on");
      if (!taken) await forwarded.excused(call.reply.drained(forwarded.stop));
    }
  } catch (error) {
    forwarded.answer.body.destroy();
    if (error instanceof StreamRefused) throw new AnswerRefused(error.message);
    throw error;
  }
}
