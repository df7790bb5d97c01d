import type { ToolChangeAccepted, ToolChanged, ToolPinned } from "@countersign/contracts";
import type { ToolAnnotations } from "@countersign/policy";
import type { ToolDefinition } from "./tool-definition.js";

/** What is written when a definition is seen that the book does not have so. */
export type ToolFact =
  | { readonly type: "ToolPinned"; readonly data: ToolPinned }
  | { readonly type: "ToolChanged"; readonly data: ToolChanged };

interface Page {
  readonly pinned: string;
  readonly annotations: ToolAnnotations | undefined;
  /** The definition that was found instead of the pinned one. */
  readonly changedTo?: string;
}

/** An endpoint with more tools than this is not one that a person can answer for. */
export const toolsMax = 2_000;
const textCharactersMax = 16_384;

/**
 * The pinned definition of every tool, from `mcp.tools`, and what administrators accepted, from `policy.tools`. A tool
 * that says something else than at first sight may do something else too (or lure a model into it), so it is held until
 * a person has accepted the change.
 */
export class ToolBook {
  readonly #pages = new Map<string, Map<string, Page>>();
  readonly #accepted = new Map<string, string>();

  apply({ type, data }: ToolFact): void {
    const tools = this.#pages.get(data.endpoint) ?? new Map<string, Page>();
    this.#pages.set(data.endpoint, tools);
    if (type === "ToolPinned") tools.set(data.tool, { pinned: data.digest, annotations: data.annotations });
    else tools.set(data.tool, { pinned: data.pinned, annotations: undefined, changedTo: data.found });
  }

  accept({ endpoint, tool, digest }: ToolChangeAccepted): void {
    this.#accepted.set(placeOf(endpoint, tool), digest);
  }

  /** Whether a definition that a server shows holds, and what is to be written down about it. */
  look(endpoint: string, tool: ToolDefinition): { readonly holds: boolean; readonly fact?: ToolFact } {
    const tools = this.#pages.get(endpoint);
    const page = tools?.get(tool.name);
    if (!page && (tools?.size ?? 0) >= toolsMax) return { holds: false };
    const about = {
      endpoint,
      tool: tool.name,
      definition: tool.text.slice(0, textCharactersMax).toWellFormed(),
    };
    if (!page || page.pinned === tool.digest || this.#isAccepted(endpoint, tool.name, tool.digest)) {
      if (page?.pinned === tool.digest && page.changedTo === undefined) return { holds: true };
      const { annotations } = tool;
      const data = { ...about, digest: tool.digest, ...(annotations ? { annotations } : {}) };
      return { holds: true, fact: { type: "ToolPinned", data } };
    }
    if (page.changedTo === tool.digest) return { holds: false };
    const data = { ...about, pinned: page.pinned, found: tool.digest };
    return { holds: false, fact: { type: "ToolChanged", data } };
  }

  /** What is known of a tool that is about to be called; `changedTo` names the definition that waits for acceptance. */
  find(endpoint: string, tool: string): Pick<Page, "annotations" | "changedTo"> | undefined {
    const page = this.#pages.get(endpoint)?.get(tool);
    if (page?.changedTo === undefined || !this.#isAccepted(endpoint, tool, page.changedTo)) return page;
    return { annotations: page.annotations };
  }

  #isAccepted(endpoint: string, tool: string, digest: string): boolean {
    return this.#accepted.get(placeOf(endpoint, tool)) === digest;
  }
}

/** The key of everything about one tool; an endpoint's name has no slash. */
export const placeOf = (endpoint: string, tool: string): string => `${endpoint}/${tool}`;
