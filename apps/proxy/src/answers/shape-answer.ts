import { checkJson } from "@countersign/card-data";
import type { Operation, ToolAnnotations } from "@countersign/policy";
import { type Extent, elementsOf, extentAt, type MemberExtent, membersOf } from "../json/extents.js";
import { cutsOf, type Replacement, splice } from "../json/splice.js";

/** A list that was made for one person is soon another one: policies and their sessions change. */
export const listTtlMsMax = 60_000;

/** Only texts with one of these can need a change; all others are not even parsed. */
const worthALook = /"(?:tools|prompts|resources|cacheScope)"/;

/**
 * Makes an answer fit for the one principal who gets it: lists lose what policy denies this principal, and nothing may
 * be kept where others could find it (`cacheScope`), because another reader would be no record. Works on the text:
 * what stays, stays sign for sign. Goes by the shape of the answer and not by what was asked, so that a list that comes
 * late, on a resumed stream, is treated alike. Throws JsonRefused for what is not strict JSON.
 */
export function shapeAnswer(text: string, mayCall: (operation: Operation) => boolean): string {
  if (!worthALook.test(text)) return text;
  checkJson(text);
  const result = extentAt(text, ["result"]);
  const members = result ? membersOf(text, result) : [];
  const isList = members.some(({ key }) => key in listed);
  return splice(
    text,
    members.flatMap((member) => [...hidden(text, member, mayCall), ...keptPrivate(text, member, isList)]),
  );
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
  mayCall: (operation: Operation) => boolean,
): Replacement[] {
  const operationOf = Object.hasOwn(listed, key) ? listed[key] : undefined;
  if (!operationOf) return [];
  const elements = elementsOf(text, value);
  return cutsOf(elements, (index) => {
    const entry = parse(text, elements[index]);
    const operation = entry && operationOf(entry);
    return operation === undefined || mayCall(operation);
  });
}

function keptPrivate(text: string, { key, value }: MemberExtent, isList: boolean): Replacement[] {
  const given = text.slice(value.start, value.end);
  if (key === "cacheScope" && given !== '"private"') return [{ ...value, text: '"private"' }];
  if (key === "ttlMs" && isList && Number(given) > listTtlMsMax)
    return [{ ...value, text: `${listTtlMsMax}` }];
  return [];
}

function parse(text: string, at: Extent | undefined): Record<string, unknown> | undefined {
  const value: unknown = at && JSON.parse(text.slice(at.start, at.end));
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
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
