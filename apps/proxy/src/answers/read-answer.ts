import { checkJson, JsonRefused } from "@countersign/card-data";
import type { Operation } from "@countersign/policy";
import { findingsMax, type Scanned, type Scanner } from "../evidence/payloads.js";
import { isInRequestState } from "../evidence/request-state.js";
import { elementsOf, rootExtent } from "../json/extents.js";
import { splice } from "../json/splice.js";
import { classify, type JsonRpcMessage } from "../steps/parse-message.js";
import type { ToolFact } from "../tools/tool-book.js";
import { type ToolDefinition, toolDefinitionOf } from "../tools/tool-definition.js";
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

/** One message of a server: as it is recorded, and what kind it is. */
export interface AnswerMessage {
  readonly scanned: Scanned;
  readonly rpc: JsonRpcMessage | undefined;
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
  /** Whether this principal could be allowed this at all. */
  readonly mayCall: (operation: Operation) => boolean;
  /** Whether a tool is still what it was, and what is to be written down about it. */
  readonly lookAt: (tool: ToolDefinition) => { readonly holds: boolean; readonly fact?: ToolFact };
}

/** Reads a server's JSON: shaped for its one reader, masked, and taken apart where it is a batch. */
export function readAnswer(text: string, contentType: string, reader: Reader): Answer {
  try {
    if (text[rootExtent(text).start] !== "[") {
      const message = readOne(text, contentType, reader);
      return { messages: [message], text: message.scanned.masked };
    }
    checkJson(text);
    const elements = elementsOf(text, rootExtent(text));
    const messages = elements.map(({ start, end }) => readOne(text.slice(start, end), contentType, reader));
    const masked = elements.map((at, index) => ({ ...at, text: messages[index]?.scanned.masked ?? "" }));
    return { messages, text: splice(text, masked) };
  } catch (error) {
    if (!(error instanceof JsonRefused)) throw error;
    throw new AnswerRefused("it is not strict JSON", reader.scanner.text(text, contentType));
  }
}

/** Reads what is no JSON, an error page for instance. */
export function readOpaqueAnswer(text: string, contentType: string, { scanner }: Reader): Answer {
  const scanned = countable(scanner.text(text, contentType));
  return { messages: [{ scanned, rpc: undefined }], text: scanned.masked };
}

function readOne(text: string, contentType: string, reader: Reader): AnswerMessage {
  const { scanner } = reader;
  const facts: ToolFact[] = [];
  const shaped = shapeAnswer(
    text,
    (operation, entry) =>
      reader.mayCall(operation) && (operation.kind !== "tool" || isAsPinned(entry, reader, facts)),
  );
  const scanned = countable(scanner.json(shaped, contentType));
  if (scanned.findings.some(isInRequestState)) {
    throw new AnswerRefused(
      "its requestState holds card data, which may neither be altered nor handed out",
      scanned,
    );
  }
  return { scanned, rpc: classify(JSON.parse(scanned.masked)), facts };
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
