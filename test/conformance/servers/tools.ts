import { type Json, type JsonObject, noArguments, picture, sound, text } from "./content.ts";

/** What a tool may do with its caller while it runs. */
export interface Exchange {
  readonly progressToken: string | number | undefined;
  notify(method: string, params: JsonObject): Promise<void>;
  ask(method: string, params: JsonObject): Promise<JsonObject>;
  /** Ends the response stream before the answer, so that the client has to come back for it. */
  dropStream(): void;
}

export interface Tool {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: JsonObject;
  run(given: JsonObject, exchange: Exchange): JsonObject | Promise<JsonObject>;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const wordsOf = (value: Json | undefined): string =>
  typeof value === "string" ? value : JSON.stringify(value);
const says = (words: string): JsonObject => ({ content: [text(words)] });
const embedded = (uri: string, mimeType: string, words: string): JsonObject => ({
  type: "resource",
  resource: { uri, mimeType, text: words },
});

const fixed = (name: string, description: string, ...content: Json[]): Tool => ({
  name,
  description,
  inputSchema: noArguments,
  run: () => ({ content }),
});

/** Asks the client something and answers with what it said. */
const asking = (
  name: string,
  argument: string | undefined,
  method: string,
  question: (given: string) => JsonObject,
  retell: (answer: JsonObject) => string,
): Tool => ({
  name,
  description: `Sends ${method} to the client and repeats its answer`,
  inputSchema:
    argument === undefined
      ? noArguments
      : { type: "object", properties: { [argument]: { type: "string" } }, required: [argument] },
  async run(given, { ask }) {
    return says(retell(await ask(method, question(wordsOf(given[argument ?? ""])))));
  },
});

const form = (message: string, properties: JsonObject, required: string[] = []): JsonObject => ({
  message,
  requestedSchema: { type: "object", properties, required },
});
const retellForm = (answer: JsonObject): string =>
  `action=${wordsOf(answer["action"])}, content=${JSON.stringify(answer["content"] ?? {})}`;

const titled = (values: string[]): JsonObject[] =>
  values.map((value) => ({ const: value, title: `Title of ${value}` }));

/** The tools that the conformance suite calls, in either era. */
export const tools: readonly Tool[] = [
  fixed("test_simple_text", "Answers with text", text("This is a simple text response for testing.")),
  fixed("test_image_content", "Answers with a picture", {
    type: "image",
    data: picture,
    mimeType: "image/png",
  }),
  fixed("test_audio_content", "Answers with a sound", { type: "audio", data: sound, mimeType: "audio/wav" }),
  fixed(
    "test_embedded_resource",
    "Answers with a resource",
    embedded("test://embedded-resource", "text/plain", "This is an embedded resource content."),
  ),
  fixed(
    "test_multiple_content_types",
    "Answers with content of several types",
    text("Multiple content types test:"),
    { type: "image", data: picture, mimeType: "image/png" },
    embedded("test://mixed-content-resource", "application/json", `{"test":"data","value":123}`),
  ),
  {
    name: "test_error_handling",
    description: "Fails",
    inputSchema: noArguments,
    run: () => ({ ...says("This tool intentionally returns an error for testing"), isError: true }),
  },
  {
    name: "test_tool_with_logging",
    description: "Logs while it runs",
    inputSchema: noArguments,
    async run(_, { notify }) {
      for (const data of ["Tool execution started", "Tool processing data", "Tool execution completed"]) {
        await notify("notifications/message", { level: "info", data });
        await pause(50);
      }
      return says("Logged three times");
    },
  },
  {
    name: "test_tool_with_progress",
    description: "Tells of its progress",
    inputSchema: noArguments,
    async run(_, { notify, progressToken }) {
      for (const progress of progressToken === undefined ? [] : [0, 50, 100]) {
        await notify("notifications/progress", { progressToken: progressToken ?? "", progress, total: 100 });
        await pause(50);
      }
      return says(String(progressToken ?? "no progress token"));
    },
  },
  {
    name: "test_reconnection",
    description: "Ends the stream early; the answer waits for the client to come back",
    inputSchema: noArguments,
    async run(_, { dropStream }) {
      dropStream();
      await pause(100);
      return says("The client came back for this answer.");
    },
  },
  asking(
    "test_sampling",
    "prompt",
    "sampling/createMessage",
    (prompt) => ({ messages: [{ role: "user", content: text(prompt) }], maxTokens: 100 }),
    (answer) => `LLM response: ${wordsOf((answer["content"] as JsonObject)["text"])}`,
  ),
  asking(
    "test_elicitation",
    "message",
    "elicitation/create",
    (message) => form(message, { response: { type: "string", description: "An answer" } }, ["response"]),
    (answer) => `User response: ${retellForm(answer)}`,
  ),
  asking(
    "test_elicitation_sep1034_defaults",
    undefined,
    "elicitation/create",
    () =>
      form("Please review the defaults", {
        name: { type: "string", default: "John Doe" },
        age: { type: "integer", default: 30 },
        score: { type: "number", default: 95.5 },
        status: { type: "string", enum: ["active", "inactive", "pending"], default: "active" },
        verified: { type: "boolean", default: true },
      }),
    (answer) => `Elicitation completed: ${retellForm(answer)}`,
  ),
  asking(
    "test_elicitation_sep1330_enums",
    undefined,
    "elicitation/create",
    () =>
      form("Please choose", {
        untitledSingle: { type: "string", enum: ["option1", "option2", "option3"] },
        titledSingle: { type: "string", oneOf: titled(["value1", "value2", "value3"]) },
        legacyEnum: {
          type: "string",
          enum: ["opt1", "opt2", "opt3"],
          enumNames: ["Option One", "Option Two", "Option Three"],
        },
        untitledMulti: { type: "array", items: { type: "string", enum: ["option1", "option2", "option3"] } },
        titledMulti: { type: "array", items: { anyOf: titled(["value1", "value2", "value3"]) } },
      }),
    (answer) => `Elicitation completed: ${retellForm(answer)}`,
  ),
  {
    name: "json_schema_2020_12_tool",
    description: "Has a schema with much of JSON Schema 2020-12",
    inputSchema: {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      $defs: {
        address: {
          $anchor: "addressDef",
          type: "object",
          properties: { street: { type: "string" }, city: { type: "string" } },
        },
      },
      properties: {
        name: { type: "string" },
        address: { $ref: "#/$defs/address" },
        contactMethod: { type: "string", enum: ["phone", "email"] },
        phone: { type: "string" },
        email: { type: "string" },
      },
      allOf: [{ anyOf: [{ required: ["phone"] }, { required: ["email"] }] }],
      if: { properties: { contactMethod: { const: "phone" } }, required: ["contactMethod"] },
      // oxlint-disable-next-line unicorn/no-thenable -- A key word of JSON Schema.
      then: { required: ["phone"] },
      else: { required: ["email"] },
      additionalProperties: false,
    },
    run: (given) => says(JSON.stringify(given)),
  },
];
