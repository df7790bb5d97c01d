import { reached } from "../evidence/moments.js";
import { contentTypeFor, formOf } from "../answers/media-type.js";
import { AnswerRefused, type Reader, readUnnamedAnswer, readAnswer } from "../answers/read-answer.js";
import { emptyBatch, recordForAll, recordMessage } from "../answers/record-answer.js";
import type { Call } from "../call.js";
import type { Gateway } from "../gateway.js";
import type { Outstanding } from "../outstanding.js";
import type { Forwarded } from "./forward.js";
import { tell } from "./tell.js";
import { commit } from "./commit.js";

/** Relays an answer that comes as one body: read whole and bounded, masked, recorded, then delivered. */
export async function relayWhole(
  gateway: Gateway,
  call: Call,
  forwarded: Forwarded,
  outstanding: Outstanding,
  reader: Reader,
  headers: Record<string, string>,
): Promise<void> {
  const { status } = forwarded.answer;
  const text = await readText(forwarded, call.admitted.endpoint.messageBytesMax);
  reached("upstream answered");
  const given = forwarded.answer.headers["content-type"];
  const form = formOf(given);
  const contentType = contentTypeFor(form, given, reader.scanner);
  const read = form === "json" && text.trim() !== "" ? readAnswer : readUnnamedAnswer;
  const answer = read(text, contentType, reader);
  const batch = emptyBatch();
  for (const message of answer.messages) {
    // An answer that names none of the calls, such as an HTTP error, answers all of them.
    const isOfAll = outstanding.size > 0 && !outstanding.expects(message.rpc) && answer.messages.length === 1;
    const record = isOfAll ? recordForAll : recordMessage;
    await record(batch, message, call, outstanding, status);
  }
  for (const records of outstanding.takeAll()) {
    batch.drafts.push(
      records.completed("unknown", { detail: "the server's answer left it out", httpStatus: status }),
    );
  }
  await commit(gateway, call, batch);
  if (call.reply.streaming && !answer.messages.some(({ rpc }) => rpc?.kind === "response")) {
    // While the call was held a stream began, on which nothing but a message can be said.
    tell(call, `The upstream MCP server answered this call with HTTP status ${status} and no message.`);
    return;
  }
  call.reply.send(status, given === undefined && text === "" ? undefined : contentType, answer.text, headers);
}

async function readText({ answer, alive }: Forwarded, bytesMax: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    alive();
    bytes += chunk.length;
    if (bytes > bytesMax) {
      answer.body.destroy();
      throw new AnswerRefused("it is larger than this endpoint takes");
    }
    chunks.push(chunk);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new AnswerRefused("it is not valid UTF-8");
  }
}
