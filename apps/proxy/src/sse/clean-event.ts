import type { Scanner } from "../evidence/payloads.js";
import type { SseEvent } from "./sse.parser.js";

/** Event ids and names can carry a number as well as data can; comments are for proxies, so they end here. */
export const isClean = (event: SseEvent, scanner: Scanner): boolean =>
  !/^:|[\r\n]:/.test(event.raw) &&
  [event.id, event.event].every((field) => field === undefined || scanner.mask(field) === field);

export const cleaned = (event: SseEvent, scanner: Scanner): SseEvent => ({
  raw: event.raw,
  ...(event.event === undefined ? {} : { event: scanner.mask(event.event) }),
  ...(event.id === undefined ? {} : { id: scanner.mask(event.id) }),
  ...(event.retry === undefined ? {} : { retry: event.retry }),
  ...(event.data === undefined ? {} : { data: event.data }),
});

/** An event without a message: its id and retry hints matter to resumption, its comments to nobody. */
export function withoutComments(event: SseEvent, scanner: Scanner): string {
  if (isClean(event, scanner)) return event.raw;
  const { event: name, id, retry, data } = cleaned(event, scanner);
  const lines = [
    ...(name === undefined ? [] : [`event: ${name}`]),
    ...(id === undefined ? [] : [`id: ${id}`]),
    ...(retry === undefined ? [] : [`retry: ${retry}`]),
    ...(data === undefined ? [] : ["data:"]),
  ];
  return lines.length === 0 ? "" : `${lines.join("\n")}\n\n`;
}
