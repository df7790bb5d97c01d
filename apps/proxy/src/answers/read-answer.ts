import { checkJson, JsonRefused, type StreamMemory } from "@countersign/card-data";
import type { Operation } from "@countersign/policy";
import { findingsMax, type Scanned, type Scanner } from "../evidence/payloads.js";
import { isInRequestState } from "../evidence/request-state.js";
import { isOpaque, opaqueReason } from "../evidence/withhold.js";
import { elementsOf, rootExtent, rootSign } from "../json/extents.js";
import { splice } from "../json/splice.js";
import type { JsonRpcMessage } from "../steps/parse-message.js";
import type { ToolFact } from "../tools/tool-book.js";
import { type ToolDefinition, toolDefinitionOf } from "../tools/tool-definition.js";
import { withoutOpaqueContent } from "./guard-answer.js";
import { followed } from "./followed.js";
import { answeredByName, type OwnIds } from "./own-ids.js";
import { shapeAnswer } from "./shape-answer.js";

/** An answer that cannot be delivered, with what its record keeps of it. */
export class AnswerRefused extends Error {
  override readonly name = "AnswerRefused";
  constructor(
    message: string,
    readonly scanned?: Scanned,
  ) {
    super(message);
  }
}

/** One message of a server: as it came, as the client gets it, and what kind it is. */
export interface AnswerMessage {
  readonly scanned: Scanned;
  readonly delivered: string;
  /** JSON Pointers to the entries of a list that the client does not get, into the message as it came. */
  readonly leftOut?: readonly string[];
  readonly rpc: JsonRpcMessage | undefined;
  /** Why the client gets something else. */
  readonly detail?: string;
  /** What it taught about the server's tools. */
  readonly facts?: readonly ToolFact[];
}

export interface Answer {
  /** Several where a server answers a batch. */
  readonly messages: readonly AnswerMessage[];
  /** What the client gets. */
  readonly text: string;
}

export interface Reader {
  readonly scanner: Scanner;
  /** The names that the client gave its requests, which it has to get back as they are. */
  readonly own: OwnIds;
  /** Whether this principal could be allowed this at all. */
  readonly mayCall: (operation: Operation) => boolean;
  /** Whether a tool is still what it was, and what is to be written down about it. */
  readonly lookAt: (tool: ToolDefinition) => { readonly holds: boolean; readonly fact?: ToolFact };
  /** What the messages before left open; only where they come on a stream. */
  readonly memory?: StreamMemory;
}

/** A record names each entry that was left out; past this many it would not fit into the log. */
const leftOutMax = 20_000;

/** Reads a server's JSON: shaped for its one reader, masked, and taken apart where it is a batch. */
export function readAnswer(text: string, contentType: string, reader: Reader): Answer {
  try {
    if (rootSign(text) !== "[") {
      const message = readOne(text, contentType, reader);
      return { messages: [message], text: message.delivered };
    }
    checkJson(text);
    const elements = elementsOf(text, rootExtent(text));
    const messages = elements.map(({ start, end }) => readOne(text.slice(start, end), contentType, reader));
    const masked = elements.map((at, index) => ({ ...at, text: messages[index]?.delivered ?? "" }));
    return { messages, text: splice(text, masked) };
  } catch (error) {
    if (!(error instanceof JsonRefused)) throw error;
    throw new AnswerRefused("it is not strict JSON", reader.scanner.unparsed(text, contentType));
  }
}

/** Reads what is not said to be JSON, an error page for instance; what is JSON all the same is read as such. */
export function readUnnamedAnswer(text: string, contentType: string, reader: Reader): Answer {
  const sign = rootSign(text);
  return (sign === "{" || sign === "[") && isJson(text)
    ? readAnswer(text, contentType, reader)
    : readText(text, contentType, reader);
}

function readText(text: string, contentType: string, { scanner }: Reader): Answer {
  const scanned = countable(scanner.text(text, contentType));
  if (scanner.opaque === "refuse" && scanned.findings.some(isOpaque)) {
    throw new AnswerRefused(opaqueReason, scanned);
  }
  return { messages: [{ scanned, delivered: scanned.masked, rpc: undefined }], text: scanned.masked };
}

function isJson(text: string): boolean {
  try {
    checkJson(text);
    return true;
  } catch (error) {
    if (error instanceof JsonRefused) return false;
    throw error;
  }
}

function readOne(text: string, contentType: string, reader: Reader): AnswerMessage {
  const { scanner } = reader;
  const facts: ToolFact[] = [];
  const shaped = shapeAnswer(
    text,
    (operation, entry) =>
      reader.mayCall(operation) && (operation.kind !== "tool" || isAsPinned(entry, reader, facts)),
  );
  // What the server said is recorded in full; what this reader may not see of it is only not delivered.
  const alone = countable(scanner.json(text, contentType));
  const scanned = reader.memory ? followed(alone, scanner, reader.memory) : alone;
  if (scanned.findings.some(isInRequestState)) {
    throw new AnswerRefused(
      "its requestState holds card data, which may neither be altered nor handed out",
      scanned,
    );
  }
  const { leftOut } = shaped;
  if (leftOut.length > leftOutMax) {
    throw new AnswerRefused(`it lists more than ${leftOutMax} entries that may not be shown`, scanned);
  }
  if (scanned !== alone && shaped.text !== text) {
    throw new AnswerRefused("it lists entries that go on with card data of a message before", scanned);
  }
  const shown = shaped.text === text ? scanned : scanner.json(shaped.text, contentType);
  const message = {
    scanned,
    ...answeredByName(text, scanned, shown.masked, reader.own),
    facts,
    ...(leftOut.length === 0 ? {} : { leftOut }),
  };
  return scanner.opaque === "refuse" ? withoutOpaqueContent(message, shown.findings) : message;
}

/** A tool that changed is not shown: its new words are what would reach the model. */
function isAsPinned(entry: string, { scanner, lookAt }: Reader, facts: ToolFact[]): boolean {
  const masked = JSON.parse(scanner.json(entry).masked) as Record<string, unknown>;
  const definition = toolDefinitionOf(masked);
  if (!definition) return false;
  const { holds, fact } = lookAt(definition);
  if (fact) facts.push(fact);
  return holds;
}

/** An answer with more card data than a record can list is not delivered. */
function countable(scanned: Scanned): Scanned {
  if (scanned.findings.length <= findingsMax) return scanned;
  throw new AnswerRefused(`it holds more than ${findingsMax} pieces of card data`, scanned);
}
