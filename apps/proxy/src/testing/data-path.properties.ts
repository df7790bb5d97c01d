import { BUILT_IN_POLICY, StreamMemory } from "@countersign/card-data";
import fc from "fast-check";
import { type Answer, AnswerRefused, type Reader, readAnswer } from "../answers/read-answer.js";
import { Scanner } from "../evidence/payloads.js";
import type { Received } from "../exchange.js";
import { Refusal } from "../refusal.js";
import { relayEvent } from "../sse/relay-event.js";
import { SseParser, StreamRefused } from "../sse/sse.parser.js";
import { readMessages } from "../steps/read-messages.js";
import type { Trail } from "../steps/refuse.js";

/** What has to hold of every message on its way, whatever it looks like. Each is run with as many cases as asked for. */
export const pan = "4111111111111111";
const bytesMax = 1024 * 1024;

const scanner = new Scanner(() => BUILT_IN_POLICY, Buffer.alloc(32, 1));
const reader: Reader = { scanner, own: new Set(), mayCall: () => true, lookAt: () => ({ holds: true }) };

/** White space that JSON allows between tokens. */
const space = fc.constantFrom("", "", " ", "\n", "\r\n", "\t", "  ");
/** Numbers that a careless reader alters. Not one of them is a card. */
const numberText = fc.constantFrom("0", "-0", "1.10", "1e5", "-2.50E-3", "0.1", "100", "1E400", "-7");
const word = fc.constantFrom(
  "text",
  "é",
  "日本",
  "\u{1F600}",
  "a\\b",
  'q"q',
  "line\nline",
  "",
  "id",
  "tab\t",
);
/** A string token, with escapes that need not be there. */
const stringText = fc.tuple(word, fc.boolean()).map(([value, escaped]) => {
  const plain = JSON.stringify(value);
  return escaped ? plain.replaceAll(/[a-z](?![^\\]*\\)/g, (sign) => unicode(sign)) : plain;
});
const unicode = (sign: string): string => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** JSON values as text; with `planted` set, card numbers may be in them, in several disguises. */
const jsonText = (planted: boolean): fc.Arbitrary<string> =>
  fc.letrec<{ value: string }>((tie) => ({
    value: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      stringText,
      numberText,
      fc.constantFrom("true", "false", "null"),
      ...(planted ? [card] : []),
      fc
        .array(fc.tuple(space, tie("value"), space), { maxLength: 4 })
        .map((values) => `[${values.map((parts) => parts.join("")).join(",")}]`),
      fc
        .uniqueArray(fc.tuple(fc.integer({ min: 0, max: 9 }), space, tie("value"), space), {
          maxLength: 4,
          selector: ([key]) => key,
        })
        .map((members) => `{${members.map(([key, a, value, b]) => `${a}"k${key}":${value}${b}`).join(",")}}`),
    ),
  })).value;

const card = fc.constantFrom(
  `"${pan}"`,
  pan,
  `"4111 1111 1111 1111"`,
  `"4111-1111-1111-1111"`,
  `"pay with ${pan} now"`,
  `"\\u0034111111111111111"`,
  JSON.stringify(JSON.stringify({ number: pan })),
);

const message = (planted: boolean): fc.Arbitrary<string> =>
  fc
    .tuple(space, jsonText(planted), space)
    .map(([a, result, b]) => `{"jsonrpc":"2.0",${a}"id":1,"result":${result}${b}}`);

/** The card as people write it. Digits that go on before or after are another, longer number. */
const written = /(?<!\d)4111(?<sign>[ -]?)1111\k<sign>1111\k<sign>1111(?!\d)/;
const holdsCard = (text: string): boolean => written.test(text);
const decoded = (value: unknown): string =>
  typeof value === "string"
    ? value
    : typeof value === "object" && value !== null
      ? Object.entries(value)
          .flatMap((entry) => entry.map(decoded))
          .join("\0")
      : String(value);

const check = (holds: boolean, what: string): void => {
  if (!holds) throw new Error(what);
};

/** Answers without card data pass to the byte. */
export const cleanAnswersPass = fc.property(message(false), (text) => {
  check(readAnswer(text, "application/json", reader).text === text, "a clean answer was altered");
});

/** Whatever is planted, no card number gets through, and what gets through is JSON. */
export const noCardPasses = fc.property(message(true), (text) => {
  const { text: delivered, messages } = readAnswer(text, "application/json", reader);
  check(!holdsCard(decoded(JSON.parse(delivered))), "a card number was delivered");
  check(
    messages.every(({ scanned }) => !holdsCard(decoded(JSON.parse(scanned.recorded)))),
    "a card number was recorded",
  );
});

/** A batch is its messages, and the signs between them stay. */
export const batchesAreTheirMessages = fc.property(
  fc.array(fc.tuple(space, message(true), space), { minLength: 1, maxLength: 4 }),
  (elements) => {
    const joined = (texts: readonly string[]): string =>
      `[${texts.map((text, index) => `${elements[index]?.[0]}${text}${elements[index]?.[2]}`).join(",")}]`;
    const alone = elements.map(([, text]) => readAnswer(text, "application/json", reader).text);
    const whole = readAnswer(joined(elements.map(([, text]) => text)), "application/json", reader);
    check(whole.text === joined(alone), "a batch was read otherwise than its messages");
  },
);

const lineEnd = fc.constantFrom("\n", "\r\n", "\r");
/** Events as servers write them: data over several lines, ids, comments, hints, any line end. */
const eventText = fc
  .record({
    data: fc.option(message(true), { nil: undefined }),
    id: fc.option(fc.constantFrom("7", "é-1", ""), { nil: undefined }),
    comment: fc.boolean(),
    retry: fc.boolean(),
    end: lineEnd,
    gap: fc.constantFrom("", " "),
  })
  .map(({ data, id, comment, retry, end, gap }) => {
    const lines = [
      ...(comment ? [`: ping ${pan}`] : []),
      ...(id === undefined ? [] : [`id:${gap}${id}`]),
      ...(retry ? ["retry: 100"] : []),
      ...(data === undefined ? [] : data.split(/\r\n|\n|\r/).map((line) => `data:${gap || " "}${line}`)),
    ];
    return lines.length === 0 ? "" : [...lines, "", ""].join(end);
  });

/** However a stream is cut into chunks, through signs and line ends, the client gets the same, and no card number. */
export const chunksDoNotMatter = fc.property(
  fc.array(eventText, { maxLength: 4 }),
  fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 }),
  (events, sizes) => {
    const bytes = Buffer.from(events.join(""));
    const whole = relay([bytes]);
    check(relay(cut(bytes, sizes)) === whole, "chunks changed what is relayed");
    check(!holdsCard(whole), "a card number was relayed");
  },
);

/** However a card is cut over the messages of a stream, what the client got of it is not the card. */
export const noCardPassesInPieces = fc.property(
  fc.constantFrom("", "card ", "Pay with: ", "é "),
  fc.constantFrom(pan, "4111 1111 1111 1111", "4111-1111-1111-1111"),
  fc.uniqueArray(fc.integer({ min: 1, max: 18 }), { minLength: 1, maxLength: 18 }),
  fc.constantFrom("", ", please", " it is", "."),
  fc.boolean(),
  (before, card, cuts, after, interrupted) => {
    const borders = cuts.filter((at) => at < card.length).toSorted((a, b) => a - b);
    const pieces = [0, ...borders].map((from, index) => card.slice(from, borders[index]));
    const texts = pieces.map(
      (piece, index) => (index === 0 ? before : "") + piece + (index === pieces.length - 1 ? after : ""),
    );
    const other = `data: {"jsonrpc":"2.0","method":"notifications/other","params":{"data":"words"}}\n\n`;
    const relayed = relay(
      texts.map((data) => {
        const message = { jsonrpc: "2.0", method: "notifications/message", params: { data } };
        return Buffer.from(`data: ${JSON.stringify(message)}\n\n${interrupted ? other : ""}`);
      }),
    );
    const got = [...relayed.matchAll(/^data: .*"notifications\/message".*"data":"([^"]*)"/gm)];
    check(got.length === texts.length, "a message was lost");
    check(!holdsCard(got.map(([, text]) => text).join("")), "a card number was relayed in pieces");
  },
);

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

function relay(chunks: readonly Uint8Array[]): string {
  const parser = new SseParser(bytesMax);
  const events = chunks.flatMap((chunk) => parser.push(chunk));
  const onStream = { ...reader, memory: new StreamMemory() };
  return events.map((event) => relayEvent(event, onStream).text).join("");
}

/** Nothing that a server may send does more than be refused. */
export const garbageIsRefused = fc.property(
  fc.oneof(fc.uint8Array({ maxLength: 200 }), broken(message(true)), broken(eventText)),
  (bytes) => {
    for (const read of [
      () => relay([bytes]),
      () => readAnswer(Buffer.from(bytes).toString("utf8"), "application/json", reader).text,
    ]) {
      const text = orRefused(read);
      check(!holdsCard(text), "a card number came out of garbage");
    }
  },
);

/** Nothing that a client may send does more than be refused, and what is read is what was sent. */
export const whatIsReadIsWhatWasSent = fc.asyncProperty(
  fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    message(true).map((text) => Buffer.from(text)),
    broken(message(true)),
    fc.array(message(true), { maxLength: 3 }).map((texts) => Buffer.from(`[${texts.join(",")}]`)),
  ),
  async (bytes) => {
    const trail: Trail = { callId: "call", messages: [] };
    try {
      const { body, messages } = await readMessages(receivedOf(bytes), bytesMax, scanner, trail);
      check(Buffer.compare(body, bytes) === 0, "the body was altered");
      for (const { text } of messages) check(Buffer.from(bytes).includes(text), "a message was altered");
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
    check(!trail.messages.some(({ scanned }) => holdsCard(scanned.recorded)), "a card number was recorded");
  },
);

const receivedOf = (bytes: Uint8Array): Received => ({
  httpMethod: "POST",
  endpointName: "payments",
  headers: { "content-type": "application/json" },
  clientAddress: "127.0.0.1",
  body: (async function* () {
    yield await Promise.resolve(bytes);
  })(),
});

/** A text with one byte changed, cut off or doubled. */
function broken(texts: fc.Arbitrary<string>): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(texts, fc.nat(), fc.nat({ max: 255 }), fc.nat({ max: 2 }))
    .map(([text, where, byte, how]) => {
      const bytes = Buffer.from(text);
      const at = bytes.length === 0 ? 0 : where % bytes.length;
      if (how === 0 || bytes.length === 0) return bytes.subarray(0, at);
      if (how === 1) return Buffer.concat([bytes.subarray(0, at), Buffer.from([byte]), bytes.subarray(at)]);
      bytes.fill(byte, at, at + 1);
      return bytes;
    });
}

function orRefused(read: () => Answer["text"]): string {
  try {
    return read();
  } catch (error) {
    if (error instanceof AnswerRefused || error instanceof StreamRefused) return error.message;
    throw error;
  }
}
