import type { Scanner } from "../evidence/payloads.js";
import type { SseEvent } from "./sse.parser.js";

/** Event ids, names and hints can carry a number as well as data can; comments and unknown fields end here. */
export const isClean = ({ plain, id, event, retry }: SseEvent, scanner: Scanner): boolean =>
  plain && [id, event, retry].every((field) => field === undefined || scanner.mask(field) === field);

/** An event as it may be written: its id and name masked, and a hint only if it is one. */
export const cleaned = ({ raw, event, id, retry, data }: SseEvent, scanner: Scanner): SseEvent => ({
  raw,
  plain: true,
  ...(event === undefined ? {} : { event: scanner.mask(event) }),
  ...(id === undefined ? {} : { id: scanner.mask(id) }),
  ...(retry === undefined || !/^\d{1,9}$/.test(retry) ? {} : { retry }),
  ...(data === undefined ? {} : { data }),
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
