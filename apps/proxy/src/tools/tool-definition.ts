import { createHash } from "node:crypto";
import type { ToolAnnotations } from "@countersign/policy";
import { CanonicalizationRefused, canonicalJson } from "@countersign/evidence";

/** What a tool promises: the parts of its definition that people and models go by. */
const promised = ["name", "title", "description", "inputSchema", "outputSchema", "annotations"] as const;

export interface ToolDefinition {
  readonly name: string;
  /** SHA-256 of the canonical JSON of what the tool promises. */
  readonly digest: string;
  readonly text: string;
  readonly annotations: ToolAnnotations | undefined;
}

/** Reads a tool of a list, masked before; undefined where it has no name or no canonical form. */
export function toolDefinitionOf(entry: Readonly<Record<string, unknown>>): ToolDefinition | undefined {
  const { name } = entry;
  if (typeof name !== "string") return undefined;
  try {
    const text = canonicalJson(
      Object.fromEntries(promised.flatMap((part) => (part in entry ? [[part, entry[part]]] : []))),
    );
    const digest = createHash("sha256").update(text).digest("hex");
    return { name, digest, text, annotations: annotationsOf(entry["annotations"]) };
  } catch (error) {
    if (error instanceof CanonicalizationRefused) return undefined;
    throw error;
  }
}

/** What a tool says about itself, as far as policies can read it. */
export function annotationsOf(given: unknown): ToolAnnotations | undefined {
  if (typeof given !== "object" || given === null) return undefined;
  const hints = ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"] as const;
  return Object.fromEntries(
    hints.flatMap((hint) => {
      const value = (given as Record<string, unknown>)[hint];
      return typeof value === "boolean" ? [[hint, value]] : [];
    }),
  );
}
