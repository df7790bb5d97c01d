import {
  acceptedContent,
  type CallToolResult,
  CLIENT_CAPABILITIES_META_KEY,
  createRequestStateCodec,
  type InputRequests,
  type InputRequiredResult,
  inputRequired,
  type McpHttpHandler,
  ProtocolError,
  ProtocolErrorCode,
  type ServerContext,
} from "@modelcontextprotocol/server";
import { type JsonObject, noArguments } from "./content.ts";

export type Answer = CallToolResult | InputRequiredResult;

export interface ModernTool {
  readonly name: string;
  readonly inputSchema: JsonObject;
  run(context: ServerContext, given: JsonObject): Answer | Promise<Answer>;
}

/** Seals what a round trip through the client has to remember, and refuses what came back altered. */
export const states = createRequestStateCodec<Record<string, unknown>>({
  key: crypto.getRandomValues(new Uint8Array(32)),
});

const says = (words: string): CallToolResult => ({ content: [{ type: "text", text: words }] });

const askFor = (message: string, name: string, type: "string" | "boolean" = "string") => {
  const properties = type === "string" ? { [name]: { type } } : { [name]: { type } };
  return inputRequired.elicit({ message, requestedSchema: { type: "object", properties, required: [name] } });
};
const askModel = (words: string) =>
  inputRequired.createMessage({
    messages: [{ role: "user", content: { type: "text", text: words } }],
    maxTokens: 50,
  });

const responses = ({ mcpReq }: ServerContext): Record<string, JsonObject> =>
  (mcpReq.inputResponses ?? {}) as Record<string, JsonObject>;
const accepted = (context: ServerContext, request: string, name: string): unknown =>
  acceptedContent(context.mcpReq.inputResponses, request)?.[name];

const tool = (name: string, run: ModernTool["run"], inputSchema: JsonObject = noArguments): ModernTool => ({
  name,
  inputSchema,
  run,
});

/** The tools that only make sense without sessions: questions as answers, sealed state, headers that repeat arguments. */
export const modernTools = (handler: () => McpHttpHandler): readonly ModernTool[] => [
  tool("test_x_mcp_header", (_, { region = "none" }) => says(`region=${JSON.stringify(region)}`), {
    type: "object",
    properties: {
      region: { type: "string", "x-mcp-header": "Region" },
      level: { type: "integer" },
    },
  }),
  tool("test_missing_capability", (context) =>
    "answer" in responses(context)
      ? says("The model answered.")
      : inputRequired({ inputRequests: { answer: askModel("Reply with pong") } }),
  ),
  tool("test_streaming_elicitation", () => says("Only answers on this stream.")),
  tool("test_logging_tool", async ({ mcpReq }) => {
    await mcpReq.log("info", "Heard only by those who asked for logs");
    return says("Logged.");
  }),
  tool("test_trigger_tool_change", () => {
    handler().notify.toolsChanged();
    return says("Told that tools changed.");
  }),
  tool("test_trigger_prompt_change", () => {
    handler().notify.promptsChanged();
    return says("Told that prompts changed.");
  }),
  tool("test_input_required_result_elicitation", (context) => {
    const name = accepted(context, "user_name", "name");
    return typeof name === "string"
      ? says(`Hello, ${name}!`)
      : inputRequired({ inputRequests: { user_name: askFor("What is your name?", "name") } });
  }),
  tool("test_input_required_result_sampling", (context) => {
    const { capital_question: answer } = responses(context);
    return answer
      ? says(`Sampling response: ${JSON.stringify(answer["content"])}`)
      : inputRequired({ inputRequests: { capital_question: askModel("What is the capital of France?") } });
  }),
  tool("test_input_required_result_list_roots", (context) => {
    const roots = responses(context)["client_roots"]?.["roots"];
    return Array.isArray(roots)
      ? says(`Roots: ${JSON.stringify(roots)}`)
      : inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } });
  }),
  tool("test_input_required_result_request_state", async (context) => {
    if (accepted(context, "confirm", "ok") === undefined) {
      return inputRequired({
        inputRequests: { confirm: askFor("Please confirm", "ok", "boolean") },
        requestState: await states.mint({ round: 1 }),
      });
    }
    if (context.mcpReq.requestState() === undefined) {
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, "The requestState is missing.");
    }
    return says("state-ok");
  }),
  tool("test_input_required_result_tampered_state", async (context) => {
    const sealed = context.mcpReq.requestState() !== undefined;
    if (sealed && accepted(context, "confirm", "ok") !== undefined) return says("integrity-ok");
    return inputRequired({
      inputRequests: { confirm: askFor("Please confirm", "ok", "boolean") },
      requestState: await states.mint({ round: 1 }),
    });
  }),
  tool("test_input_required_result_multiple_inputs", async (context) => {
    const { greeting, client_roots: roots } = responses(context);
    const name = accepted(context, "user_name", "name");
    if (typeof name === "string" && greeting && roots) return says(`Hello ${name}`);
    return inputRequired({
      inputRequests: {
        user_name: askFor("What is your name?", "name"),
        greeting: askModel("Generate a greeting"),
        client_roots: inputRequired.listRoots(),
      },
      requestState: await states.mint({ round: 1 }),
    });
  }),
  tool("test_input_required_result_multi_round", async (context) => {
    const round = Number(context.mcpReq.requestState<Record<string, unknown>>()?.["round"] ?? 0);
    if (round === 2) return says("Both rounds are done.");
    const question: InputRequests =
      round === 0
        ? { step1: askFor("Step 1: What is your name?", "name") }
        : { step2: askFor("Step 2: What is your favorite color?", "color") };
    return inputRequired({ inputRequests: question, requestState: await states.mint({ round: round + 1 }) });
  }),
  tool("test_input_required_result_capabilities", (context) => {
    if (context.mcpReq.inputResponses !== undefined) return says("All questions are answered.");
    const declared = (context.mcpReq.envelope as Record<string, JsonObject> | undefined)?.[
      CLIENT_CAPABILITIES_META_KEY
    ];
    const inputRequests: InputRequests = {
      ...(declared?.["elicitation"] ? { user_name: askFor("What is your name?", "name") } : {}),
      ...(declared?.["sampling"] ? { greeting: askModel("Generate a greeting") } : {}),
      ...(declared?.["roots"] ? { client_roots: inputRequired.listRoots() } : {}),
    };
    return Object.keys(inputRequests).length === 0
      ? says("This client can be asked nothing.")
      : inputRequired({ inputRequests });
  }),
];

const anything: JsonObject = { type: "object" };

/** What the extension for tasks answers as tasks is a plain tool to clients that do not know it. */
export const taskTools: readonly ModernTool[] = [
  tool("greet", (_, { name = "" }) => says(`Hello, ${typeof name === "string" ? name : ""}!`), anything),
  tool("slow_compute", () => says("Computed at once."), anything),
  ...["failing_job", "protocol_error_job", "confirm_delete", "multi_input", "test_tool_with_task"].map(
    (name) => tool(name, () => says("Only a task."), anything),
  ),
];
