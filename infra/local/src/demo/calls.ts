import type { CallToolResult } from "@modelcontextprotocol/sdk/types.js";
import pg from "pg";
import { LaunchError } from "../launch-error.js";
import type { ConnectedClient } from "../people/person.js";
import type { Suite } from "../suite.js";

/** Calls a tool and answers what its text says, or the error's message. */
export async function callTool(
  { client }: ConnectedClient,
  name: string,
  args: Record<string, unknown>,
  options?: { readonly timeout: number },
): Promise<{ text: string; failed: boolean }> {
  try {
    const result = (await client.callTool({ name, arguments: args }, undefined, options)) as CallToolResult;
    const text = result.content
      .map((part) => (part.type === "text" ? part.text : `[${part.type}]`))
      .join("\n");
    return { text, failed: result.isError === true };
  } catch (error) {
    return { text: error instanceof Error ? error.message : String(error), failed: true };
  }
}

/** Reads the payments database directly, behind the gateway's back. */
export async function payments<T extends pg.QueryResultRow>(
  suite: Suite,
  sql: string,
  values: unknown[] = [],
): Promise<T[]> {
  const client = new pg.Client({ connectionString: suite.databaseUrls.payments });
  await client.connect();
  try {
    return (await client.query<T>(sql, values)).rows;
  } finally {
    await client.end();
  }
}

/** How many calls the payments server has received so far. */
export async function callsReceived(suite: Suite): Promise<number> {
  const response = await fetch(`${suite.urls.payments}/stats`);
  const { calls } = (await response.json()) as { calls: number };
  return calls;
}

/** Asks until the answer is there; what is told by events takes a moment. */
export async function eventually<T>(
  ask: () => Promise<T | undefined>,
  what: string,
  msMax = 30_000,
): Promise<T> {
  const deadline = Date.now() + msMax;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline)
      throw new LaunchError("timed_out", `${what} did not happen within ${msMax / 1000} s.`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
