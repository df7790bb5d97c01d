import { LineCounter, isNode, parseDocument } from "yaml";
import type { ConfigurationProblem } from "./problems.js";

export interface YamlFile {
  readonly value: unknown;
  /** The line of a place, or of the nearest place around it that is written down. */
  lineOf(path: readonly PropertyKey[]): number | undefined;
}

/** Reads YAML with line numbers. An alias bomb, a tag or a doubled key is a problem like any other. */
export const parseYaml = (file: string, text: string): YamlFile | ConfigurationProblem[] => {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const found = [...document.errors, ...document.warnings];
  if (found.length > 0)
    // The parser's own message may quote the line, which may hold a secret that was pasted there.
    return found.map(({ code, pos }) => ({
      file,
      line: lines.linePos(pos[0]).line,
      path: "",
      message:
        code === "DUPLICATE_KEY" ? "the key on this line is there twice" : `is not valid YAML (${code})`,
      fix:
        code === "DUPLICATE_KEY"
          ? "Remove one of them."
          : "Look at this line and the one before it: indentation, quotes, colons.",
    }));
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch {
    return [
      {
        file,
        path: "",
        message: "uses aliases that are unknown or too many",
        fix: "Write the values out instead of *alias.",
      },
    ];
  }
  return {
    value,
    lineOf(path) {
      for (let length = path.length; length > 0; length--) {
        const node: unknown = document.getIn(path.slice(0, length), true);
        if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
      }
      return undefined;
    },
  };
};
