import type { IncomingHttpHeaders } from "node:http";
import { CLIENT_CAPABILITIES_META_KEY } from "@modelcontextprotocol/server";
import type { Json, JsonObject } from "./content.ts";
import { jobs, Tasks } from "./tasks.ts";

export const tasksExtensionId = "io.modelcontextprotocol/tasks";

/** An answer that does not come from the SDK, which knows nothing of this extension. */
export interface Answered {
  readonly status: number;
  readonly message: JsonObject;
}

const codes = { headerMismatch: -32_020, missingCapability: -32_021, invalidParams: -32_602 } as const;
/** Tools that cannot do without the extension. */
const needTasks = new Set([
  "failing_job",
  "protocol_error_job",
  "confirm_delete",
  "multi_input",
  "test_tool_with_task",
]);
const methods = new Set(["tasks/get", "tasks/update", "tasks/cancel"]);

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const objectAt = (value: Json | undefined, key: string): JsonObject => {
  const found = isObject(value) ? value[key] : undefined;
  return isObject(found) ? found : {};
};

/** The tasks extension of revision 2026-07-28 (SEP-2663), in front of a server that does not have it. */
export class TasksExtension {
  readonly #tasks = new Tasks();

  /** Undefined where the message is the server's own business. */
  answer(message: Json, headers: IncomingHttpHeaders): Answered | undefined {
    if (!isObject(message)) return undefined;
    const { id = null, method, params } = message;
    if (typeof method !== "string") return undefined;
    const given = objectAt(message, "params");
    const isTaskMethod = methods.has(method);
    const name = isTaskMethod ? given["taskId"] : given["name"];
    const isTaskTool =
      method === "tools/call" && typeof name === "string" && (name in jobs || needTasks.has(name));
    if (!isTaskMethod && !isTaskTool) return undefined;
    const fails = (status: number, code: number, words: string, data?: JsonObject): Answered => ({
      status,
      message: { jsonrpc: "2.0", id, error: { code, message: words, ...(data ? { data } : {}) } },
    });
    if ((headers["mcp-method"] ?? method) !== method || (headers["mcp-name"] ?? name) !== name) {
      return fails(400, codes.headerMismatch, "The headers do not say what the message says.");
    }
    const declared = objectAt(
      objectAt(objectAt(params, "_meta"), CLIENT_CAPABILITIES_META_KEY),
      "extensions",
    );
    if (declared[tasksExtensionId] === undefined) {
      if (isTaskTool && !needTasks.has(name)) return undefined;
      const requiredCapabilities = { extensions: { [tasksExtensionId]: {} } };
      return fails(400, codes.missingCapability, "This needs the tasks extension.", { requiredCapabilities });
    }
    const result = isTaskTool ? this.#call(name, given) : this.#manage(method, given);
    return result
      ? { status: 200, message: { jsonrpc: "2.0", id, result } }
      : fails(200, codes.invalidParams, "There is no such task.");
  }

  #call(name: string, given: JsonObject): JsonObject {
    if (name === "test_tool_with_task") return this.#afterAsking(given);
    const job = jobs[name]?.(objectAt(given, "arguments"));
    if (!job) throw new TypeError(`${name} is no job`);
    return this.#tasks.create(job);
  }

  /** Asks first, and becomes a task once it knows the name. */
  #afterAsking(given: JsonObject): JsonObject {
    const { name } = objectAt(objectAt(objectAt(given, "inputResponses"), "user_name"), "content");
    if (typeof name === "string") {
      const result = { content: [{ type: "text", text: `Hello, ${name}!` }] };
      return this.#tasks.create({ afterMs: 200, end: () => ({ result }) });
    }
    const requestedSchema = { type: "object", properties: { name: { type: "string" } }, required: ["name"] };
    const params = { mode: "form", message: "What is your name?", requestedSchema };
    return {
      resultType: "input_required",
      inputRequests: { user_name: { method: "elicitation/create", params } },
    };
  }

  #manage(method: string, given: JsonObject): JsonObject | undefined {
    const { taskId } = given;
    if (typeof taskId !== "string") return undefined;
    if (method === "tasks/get") return this.#tasks.get(taskId);
    const done =
      method === "tasks/cancel"
        ? this.#tasks.cancel(taskId)
        : this.#tasks.update(taskId, objectAt(given, "inputResponses"));
    return done ? { resultType: "complete" } : undefined;
  }
}
