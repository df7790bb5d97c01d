import { type Answer, type Reader, readAnswer } from "../answers/read-answer.js";
import { cleaned, isClean, withoutComments } from "./clean-event.js";
import { type SseEvent, writeSse } from "./sse.parser.js";

/** What a client gets of an event, and the messages in it; an event that needs no change passes byte for byte. */
export function relayEvent(
  event: SseEvent,
  reader: Reader,
): { readonly text: string; readonly messages: Answer["messages"] } {
  if (event.data === undefined || event.data === "") {
    return { text: withoutComments(event, reader.scanner), messages: [] };
  }
  const { text, messages } = readAnswer(event.data, "application/json", reader);
  const isUntouched = text === event.data && isClean(event, reader.scanner);
  return { messages, text: isUntouched ? event.raw : writeSse(cleaned(event, reader.scanner), text) };
}
