import { StreamMemory } from "@countersign/card-data";
import { reached } from "../evidence/moments.js";
import { AnswerRefused, type Reader } from "../answers/read-answer.js";
import { emptyBatch, recordMessage } from "../answers/record-answer.js";
import type { Call } from "../call.js";
import type { Gateway } from "../gateway.js";
import type { Outstanding } from "../outstanding.js";
import { relayEvent } from "../sse/relay-event.js";
import { type SseEvent, SseParser, StreamRefused } from "../sse/sse.parser.js";
import { commit } from "./commit.js";
import type { Forwarded } from "./forward.js";

/**
 * Relays a stream message by message: what a chunk completes is masked and recorded in one append, then delivered. The
 * next chunk is read when the client has taken this one. A client that left no longer receives, but what the server
 * does for it is recorded to the end. A card that one message begins and the next ones end is masked in those. What cannot
 * be passed on ends the stream; what came before it does not suffer from having come in the same chunk. Calls that are
 * outstanding afterwards were not answered on this stream.
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
      const { events, rest } = parsed(parser, chunk);
      let broken = rest;
      if (events.length === 0 && !broken) continue;
      const before = outstanding.size;
      const batch = emptyBatch();
      let text = "";
      for (const event of events) {
        const relayed = relayedOrBroken(event, onStream);
        if (relayed instanceof Error) {
          broken = relayed;
          break;
        }
        for (const message of relayed.messages) await recordMessage(batch, message, call, outstanding, 200);
        text += relayed.text;
      }
      if (outstanding.size < before) reached("upstream answered");
      await commit(gateway, call, batch);
      const taken = call.reply.write(text);
      reached("answer passed on");
      if (broken) throw broken;
      if (!taken) await forwarded.excused(call.reply.drained(forwarded.stop));
    }
  } catch (error) {
    forwarded.answer.body.destroy();
    if (error instanceof StreamRefused) throw new AnswerRefused(error.message);
    throw error;
  }
}

/** The events that a chunk completes, and why nothing after them is one. */
function parsed(parser: SseParser, chunk: Buffer): { events: readonly SseEvent[]; rest?: Error } {
  try {
    return { events: parser.push(chunk) };
  } catch (error) {
    if (!(error instanceof StreamRefused)) throw error;
    return { events: error.before, rest: error };
  }
}

/** An event as it is passed on, or why it cannot be: what came before it in the same chunk is good all the same. */
function relayedOrBroken(event: SseEvent, reader: Reader): ReturnType<typeof relayEvent> | AnswerRefused {
  try {
    return relayEvent(event, reader);
  } catch (error) {
    if (error instanceof AnswerRefused) return error;
    throw error;
  }
}
