import { checkJson } from "@countersign/card-data";
import type { Operation } from "@countersign/policy";
import { type Extent, elementsOf, extentAt, type MemberExtent, membersOf } from "../json/extents.js";
import { mayName } from "../json/may-name.js";
import { cutsOf, type Replacement, splice } from "../json/splice.js";
import { annotationsOf } from "../tools/tool-definition.js";

/** Whether an entry of a list may be shown; `entry` is its text. */
export type MayShow = (operation: Operation, entry: string) => boolean;

/** A list that was made for one person is soon another one: policies and their sessions change. */
export const listTtlMsMax = 60_000;

/** Only texts with one of these can need a change; all others are not even parsed. */
const worthALook = mayName("tools", "prompts", "resources", "cacheScope");

/** An answer fit for its one reader. */
export interface Shaped {
  readonly text: string;
  /** JSON Pointers to what is hidden, into the text as it came. */
  readonly leftOut: readonly string[];
}

/**
 * Makes an answer fit for the one principal who gets it: lists lose what this principal may not see, and nothing may
 * be kept where others could find it (`cacheScope`), because another reader would be no record. Works on the text:
 * what stays, stays sign for sign. Goes by the shape of the answer and not by what was asked, so that a list that comes
 * late, on a resumed stream, is treated alike. Throws JsonRefused for what is not strict JSON.
 */
export function shapeAnswer(text: string, mayShow: MayShow): Shaped {
  if (!worthALook.test(text)) return { text, leftOut: [] };
  checkJson(text);
  const result = extentAt(text, ["result"]);
  const members = result ? membersOf(text, result) : [];
  const isList = members.some(({ key }) => key in listed);
  const leftOut: string[] = [];
  const changes = members.flatMap((member) => [
    ...hidden(text, member, mayShow, leftOut),
    ...keptPrivate(text, member, isList),
  ]);
  return { text: splice(text, changes), leftOut };
}

const listed: Readonly<Record<string, (entry: Readonly<Record<string, unknown>>) => Operation | undefined>> =
  {
    tools: ({ name, annotations }) =>
      typeof name === "string" ? { kind: "tool", name, annotations: annotationsOf(annotations) } : undefined,
    prompts: ({ name }) => (typeof name === "string" ? { kind: "prompt", name } : undefined),
    resources: ({ uri }) => (typeof uri === "string" ? { kind: "resource", uri } : undefined),
  };

function hidden(
  text: string,
  { key, value }: MemberExtent,
  mayShow: MayShow,
  leftOut: string[],
): Replacement[] {
  const operationOf = Object.hasOwn(listed, key) ? listed[key] : undefined;
  if (!operationOf) return [];
  const elements = elementsOf(text, value);
  return cutsOf(elements, (index) => {
    const entry = slice(text, elements[index]);
    const operation = operationOf(parse(entry));
    const shown = operation === undefined || mayShow(operation, entry);
    if (!shown) leftOut.push(`/result/${key}/${index}`);
    return shown;
  });
}

function keptPrivate(text: string, { key, value }: MemberExtent, isList: boolean): Replacement[] {
  const given = text.slice(value.start, value.end);
  if (key === "cacheScope" && given !== '"private"') return [{ ...value, text: '"private"' }];
  if (key === "ttlMs" && isList && Number(given) > listTtlMsMax)
    return [{ ...value, text: `${listTtlMsMax}` }];
  return [];
}

const slice = (text: string, at: Extent | undefined): string => (at ? text.slice(at.start, at.end) : "null");

function parse(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text);
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
