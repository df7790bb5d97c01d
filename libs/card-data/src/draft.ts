import type { Found, LocalFinding } from "./rewrite.js";

/** A stretch to hide. `withoutSad` is undefined where only card numbers are hidden: they stay in what is sealed. */
export interface Edit {
  start: number;
  end: number;
  masked: string;
  withoutSad: string | undefined;
  findings: LocalFinding[];
}

/**
 * A text that is masked reading by reading. Edits keep its length, so that offsets of every reading are offsets of the
 * text; only the last ones, see `finish`, may change it.
 */
export class Draft {
  masked: string;
  readonly findings: LocalFinding[] = [];
  private withoutSad: string;
  private spans: { start: number; end: number }[] = [];
  private last: readonly Edit[] = [];

  constructor(value: string) {
    this.masked = value;
    this.withoutSad = value;
  }

  /** `edits` come in order and do not overlap. */
  apply(edits: readonly Edit[]): void {
    this.masked = splice(this.masked, edits, (edit) => edit.masked);
    this.withoutSad = splice(this.withoutSad, edits, (edit) => edit.withoutSad);
    for (const edit of edits) this.findings.push(...edit.findings);
    this.spans = [...this.spans, ...edits];
  }

  /** Edits of whole carriers, which may change the length; they leave what was hidden before as it is. */
  finish(edits: readonly Edit[]): void {
    this.last = edits;
    for (const edit of edits) this.findings.push(...edit.findings);
  }

  found(): Found {
    let next = 0;
    const rewrites = mergeSpans([...this.spans, ...this.last]).map(({ start, end }) => {
      const moved: Edit[] = [];
      for (let edit = this.last[next]; edit && edit.end <= end; edit = this.last[++next]) {
        moved.push({ ...edit, start: edit.start - start, end: edit.end - start });
      }
      return {
        start,
        end,
        masked: splice(this.masked.slice(start, end), moved, (edit) => edit.masked),
        withoutSad: splice(this.withoutSad.slice(start, end), moved, (edit) => edit.withoutSad),
      };
    });
    this.findings.sort((a, b) => a.start - b.start);
    return { findings: this.findings, rewrites };
  }
}

function splice(text: string, edits: readonly Edit[], to: (edit: Edit) => string | undefined): string {
  const parts: string[] = [];
  let from = 0;
  for (const edit of edits) {
    parts.push(text.slice(from, edit.start), to(edit) ?? text.slice(edit.start, edit.end));
    from = edit.end;
  }
  parts.push(text.slice(from));
  return parts.join("");
}

function mergeSpans(spans: readonly { start: number; end: number }[]): { start: number; end: number }[] {
  const merged: { start: number; end: number }[] = [];
  for (const { start, end } of spans.toSorted((a, b) => a.start - b.start)) {
    const before = merged.at(-1);
    if (before && start < before.end) before.end = Math.max(before.end, end);
    else merged.push({ start, end });
  }
  return merged;
}
