import type { StdioUpstream } from "@countersign/contracts";
import type { Secrets } from "../credentials/secrets.js";
import { markName } from "./process-group.js";

export interface Environment {
  readonly variables: Record<string, string>;
  /** What must not come back from the server. */
  readonly secrets: readonly string[];
}

/**
 * All that a server's process gets to see: where programs are, a folder of its own, and what its endpoint lists. Nothing
 * of the gateway's environment comes along unasked.
 */
export async function environmentOf(
  listed: StdioUpstream["environment"],
  given: { secrets: Secrets; folder: string; mark: string; path: string | undefined },
): Promise<Environment> {
  const variables: Record<string, string> = {
    PATH: given.path ?? "/usr/local/bin:/usr/bin:/bin",
    HOME: given.folder,
    TMPDIR: given.folder,
    LANG: "C.UTF-8",
  };
  const secrets: string[] = [];
  for (const [name, value] of Object.entries(listed)) {
    const text = await given.secrets.readValue(value);
    variables[name] = text;
    if (!("value" in value)) secrets.push(text);
  }
  variables[markName] = given.mark;
  return { variables, secrets };
}
