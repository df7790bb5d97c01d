import { JsonRefused } from "@countersign/card-data";
import type { Entry } from "@countersign/service-kit";
import type { CallRecords } from "../evidence/call-records.js";
import { reached } from "../evidence/moments.js";
import type { Draft } from "../evidence/recorder.js";
import type { Gateway } from "../gateway.js";
import type { Reply } from "../reply.js";
import { type SseEvent, SseParser, StreamRefused, writeSse } from "../sse/sse.parser.js";
import type { Forwarded } from "./forward.js";
import { classify, type JsonRpcMessage, type RpcId } from "./parse-message.js";
import { AnswerRefused, assertCountable, outcomeOf } from "./relay-whole.js";

interface Relayed {
  readonly drafts: Draft[];
  readonly alongside: Entry[];
  readonly stored: (() => void)[];
  text: string;
  answered: boolean;
}

/**
 * Relays a stream message by message: what a chunk completes is masked and recorded in one append, then delivered.
 * Answers whether the response to `id` was among it. A client that left no longer receives, but what the server does
 * for it is recorded to the end.
 */
export async function relayStream(
  gateway: Gateway,
  forwarded: Forwarded,
  call: {
    records: CallRecords;
    reply: Reply;
    bytesMax: number;
    headers: Record<string, string>;
    /** The id of the call whose response is its outcome; undefined on a stream of its own. */
    id: RpcId | undefined;
    startedAt: number;
  },
): Promise<boolean> {
  const { reply, bytesMax } = call;
  const parser = new SseParser(bytesMax);
  let answered = false;
  reply.startStream(call.headers);
  try {
    for await (const chunk of forwarded.answer.body as AsyncIterable<Buffer>) {
      forwarded.alive();
      const events = parser.push(chunk);
      if (events.length === 0) continue;
      const relayed = await takeIn(gateway, events, call);
      if (relayed.answered) reached("upstream answered");
      if (relayed.drafts.length > 0) await gateway.recorder.record(relayed.drafts, relayed.alongside);
      for (const stored of relayed.stored) stored();
      answered ||= relayed.answered;
      await reply.write(relayed.text);
    }
  } catch (error) {
    forwarded.answer.body.destroy();
    if (error instanceof StreamRefused) throw new AnswerRefused(error.message);
    throw error;
  }
  return answered;
}

async function takeIn(
  gateway: Gateway,
  events: readonly SseEvent[],
  call: { records: CallRecords; id: RpcId | undefined; startedAt: number },
): Promise<Relayed> {
  const relayed: Relayed = { drafts: [], alongside: [], stored: [], text: "", answered: false };
  for (const event of events) {
    if (event.data === undefined || event.data === "") {
      relayed.text += withoutComments(gateway, event);
      continue;
    }
    const { masked, rpc, scanned } = readData(gateway, event.data);
    const kept = await call.records.keep(scanned, "server_to_client");
    relayed.alongside.push(...kept.alongside);
    relayed.stored.push(kept.stored);
    if (rpc?.kind === "response" && call.id !== undefined && rpc.id === call.id) {
      const latencyMs = Math.round(performance.now() - call.startedAt);
      const outcome = outcomeOf(rpc, 200);
      relayed.drafts.push(
        call.records.completed(outcome, { response: kept.payload, httpStatus: 200, latencyMs }),
      );
      relayed.answered = true;
    } else {
      relayed.drafts.push(
        call.records.message("server_to_client", rpc?.kind ?? "notification", kept.payload),
      );
    }
    const safe = masked === event.data && isClean(gateway, event);
    relayed.text += safe ? event.raw : writeSse(cleaned(gateway, event), masked);
  }
  return relayed;
}

function readData(
  gateway: Gateway,
  data: string,
): { masked: string; rpc: JsonRpcMessage | undefined; scanned: ReturnType<Gateway["scanner"]["json"]> } {
  try {
    const scanned = gateway.scanner.json(data, "application/json");
    assertCountable(scanned);
    return { masked: scanned.masked, scanned, rpc: classify(JSON.parse(scanned.masked)) };
  } catch (error) {
    if (!(error instanceof JsonRefused)) throw error;
    throw new AnswerRefused("a message on the stream is not strict JSON", gateway.scanner.text(data));
  }
}

/** Event ids and names can carry a number as well as data can; comments are for proxies, so they end here. */
const isClean = (gateway: Gateway, event: SseEvent): boolean =>
  !/^:|[\r\n]:/.test(event.raw) &&
  [event.id, event.event].every((field) => field === undefined || gateway.scanner.mask(field) === field);

const cleaned = (gateway: Gateway, event: SseEvent): SseEvent => ({
  raw: event.raw,
  ...(event.event === undefined ? {} : { event: gateway.scanner.mask(event.event) }),
  ...(event.id === undefined ? {} : { id: gateway.scanner.mask(event.id) }),
  ...(event.retry === undefined ? {} : { retry: event.retry }),
  ...(event.data === undefined ? {} : { data: event.data }),
});

/** An event without a message: its id and retry hints matter to resumption, its comments to nobody. */
function withoutComments(gateway: Gateway, event: SseEvent): string {
  if (isClean(gateway, event)) return event.raw;
  const { event: name, id, retry, data } = cleaned(gateway, event);
  const lines = [
    ...(name === undefined ? [] : [`event: ${name}`]),
    ...(id === undefined ? [] : [`id: ${id}`]),
    ...(retry === undefined ? [] : [`retry: ${retry}`]),
    ...(data === undefined ? [] : ["data:"]),
  ];
  return lines.length === 0 ? "" : `${lines.join("\n")}\n\n`;
}
