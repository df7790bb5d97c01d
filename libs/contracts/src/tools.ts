import { z } from "zod";
import { define, type DataOf } from "./define.js";
import { endpointName, principal, sha256 } from "./primitives.js";

/** What a tool says about itself (MCP `ToolAnnotations`), as far as policies can read it. */
export const toolAnnotations = z.object({
  readOnlyHint: z.boolean().optional(),
  destructiveHint: z.boolean().optional(),
  idempotentHint: z.boolean().optional(),
  openWorldHint: z.boolean().optional(),
});

const aboutTool = { endpoint: endpointName, tool: z.string() };
const definition = z.string().describe("The tool's definition as JSON, masked and cut to a readable length.");
const digest = sha256.describe("Of the canonical JSON of the masked definition.");

export const toolPinned = define(
  "ToolPinned",
  z.object({ ...aboutTool, digest, definition, annotations: toolAnnotations.optional() }),
  "A tool's definition was seen for the first time, or is again one that was accepted; it holds from now on.",
);

export const toolChanged = define(
  "ToolChanged",
  z.object({ ...aboutTool, pinned: digest, found: digest, definition }),
  "A tool's definition is another than the pinned one; it is hidden and not called until someone accepts it.",
);

export const mcpTools = [toolPinned, toolChanged] as const;

export const toolChangeAccepted = define(
  "ToolChangeAccepted",
  z.object({
    ...aboutTool,
    digest: sha256.describe("The definition that is accepted."),
    by: principal.pick({ id: true, name: true }),
  }),
  "An administrator accepted a tool's changed definition.",
);

export const policyTools = [toolChangeAccepted] as const;

export type ToolPinned = DataOf<typeof toolPinned>;
export type ToolChanged = DataOf<typeof toolChanged>;
export type ToolChangeAccepted = DataOf<typeof toolChangeAccepted>;
