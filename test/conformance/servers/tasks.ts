import { randomUUID } from "node:crypto";
import { type JsonObject, text } from "./content.ts";

/** How a task ends: with the tool's own result, or with an error of the protocol. */
type End = { readonly result: JsonObject } | { readonly error: JsonObject };

interface Task {
  readonly taskId: string;
  readonly createdAt: string;
  lastUpdatedAt: string;
  status: "working" | "input_required" | "completed" | "failed" | "cancelled";
  inputRequests: JsonObject;
  answers: JsonObject;
  end?: End;
  timer?: NodeJS.Timeout;
}

/** What a tool does once it is a task: it ends after a while, or after its questions were answered. */
export interface Job {
  readonly afterMs: number;
  readonly inputRequests?: JsonObject;
  end(answers: JsonObject): End;
}

const ttlMs = 300_000;
const pollIntervalMs = 100;
const soonMs = 300;
const says = (words: string): JsonObject => ({ content: [text(words)] });

const question = (message: string): JsonObject => ({
  method: "elicitation/create",
  params: {
    mode: "form",
    message,
    requestedSchema: {
      type: "object",
      properties: { confirm: { type: "boolean" }, name: { type: "string" } },
    },
  },
});

/** The tools that become tasks where the client knows of tasks (SEP-2663), and what they do then. */
export const jobs: Readonly<Record<string, (given: JsonObject) => Job>> = {
  slow_compute: ({ seconds, label }) => ({
    afterMs: Number(seconds ?? 0) * 1_000,
    end: () => ({ result: says(`Computed ${JSON.stringify(label ?? "")}`) }),
  }),
  failing_job: () => ({ afterMs: soonMs, end: () => ({ result: { ...says("It failed."), isError: true } }) }),
  protocol_error_job: () => ({
    afterMs: soonMs,
    end: () => ({ error: { code: -32_603, message: "The job broke." } }),
  }),
  confirm_delete: ({ filename }) => ({
    afterMs: 0,
    inputRequests: { confirm: question(`Delete ${JSON.stringify(filename ?? "")}?`) },
    end: () => ({ result: says("Deleted.") }),
  }),
  multi_input: () => ({
    afterMs: 0,
    inputRequests: { first: question("The first?"), second: question("The second?") },
    end: () => ({ result: says("Both are answered.") }),
  }),
};

/** The tasks of a server, kept for as long as it runs. */
export class Tasks {
  readonly #tasks = new Map<string, { readonly task: Task; readonly job: Job }>();

  /** Begins a task; the answer to the call that it comes from. */
  create(job: Job): JsonObject {
    const now = new Date().toISOString();
    const { inputRequests = {} } = job;
    const waits = Object.keys(inputRequests).length > 0;
    const task: Task = {
      taskId: randomUUID(),
      createdAt: now,
      lastUpdatedAt: now,
      status: waits ? "input_required" : "working",
      inputRequests: { ...inputRequests },
      answers: {},
    };
    this.#tasks.set(task.taskId, { task, job });
    if (!waits) this.#endLater(task, job);
    return { resultType: "task", ...about(task), status: "working" };
  }

  /** What `tasks/get` says; undefined where there is no such task. */
  get(taskId: string): JsonObject | undefined {
    const task = this.#tasks.get(taskId)?.task;
    if (!task) return undefined;
    const more: JsonObject =
      task.status === "input_required" ? { inputRequests: task.inputRequests } : { ...task.end };
    return { resultType: "complete", ...about(task), ...more };
  }

  /** Takes answers to the questions that are still open; others are passed over. False where there is no such task. */
  update(taskId: string, answers: JsonObject): boolean {
    const { task, job } = this.#tasks.get(taskId) ?? {};
    if (!task || !job) return false;
    if (task.status !== "input_required") return true;
    for (const [key, answer] of Object.entries(answers)) {
      if (!(key in task.inputRequests)) continue;
      delete task.inputRequests[key];
      task.answers[key] = answer;
    }
    if (Object.keys(task.inputRequests).length > 0) return true;
    task.status = "working";
    this.#endLater(task, job);
    return true;
  }

  /** Cancels what has not ended; false where there is no such task. */
  cancel(taskId: string): boolean {
    const task = this.#tasks.get(taskId)?.task;
    if (!task) return false;
    clearTimeout(task.timer);
    if (!task.end) task.status = "cancelled";
    task.lastUpdatedAt = new Date().toISOString();
    return true;
  }

  #endLater(task: Task, job: Job): void {
    task.timer = setTimeout(() => {
      task.end = job.end(task.answers);
      task.status = "error" in task.end ? "failed" : "completed";
      task.lastUpdatedAt = new Date().toISOString();
    }, job.afterMs).unref();
  }
}

const about = ({ taskId, status, createdAt, lastUpdatedAt }: Task): JsonObject => ({
  taskId,
  status,
  createdAt,
  lastUpdatedAt,
  ttlMs,
  pollIntervalMs,
});
