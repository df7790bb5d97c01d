import { BUILT_IN_POLICY } from "@countersign/card-data";
import { describe, expect, it } from "vitest";
import { Scanner } from "../evidence/payloads.js";
import { contentTypeFor, formOf } from "./media-type.js";

const scanner = new Scanner(() => BUILT_IN_POLICY, Buffer.alloc(32, 1));
const passedOn = (given: string | undefined): string => contentTypeFor(formOf(given), given, scanner);

describe("the content type of an answer", () => {
  it.each([
    ["application/json", "json"],
    ["Application/JSON; charset=utf-8", "json"],
    ["application/problem+json", "json"],
    ["text/event-stream", "stream"],
    ["Text/Event-Stream;charset=utf-8", "stream"],
    ["text/plain;application/json", "other"],
    ["application/x;text/event-stream", "other"],
    [undefined, "other"],
  ])("of %j is read as its media type says, whatever the case and the parameters: %s", (given, form) => {
    expect(formOf(given)).toBe(form);
  });

  it.each([
    "text/plain;application/json",
    "application/x;text/event-stream",
    "text/x-json",
    "text/event-stream",
    "text/plain; x=4111111111111111",
    "x/4111111111111111",
    "text/plain; charset=utf-16le",
    "application/json; charset=utf-16le",
    "no media type",
  ])("lets no client read what was not read here: %s", (given) => {
    const type = contentTypeFor(given.startsWith("application/json") ? "json" : "other", given, scanner);
    expect(type).toMatch(
      /^(?:application\/json; charset=utf-8|application\/x|text\/plain(?:; charset=utf-8)?)$/,
    );
  });

  it.each([
    ["application/json", "application/json"],
    ["application/json; charset=utf-8", "application/json; charset=utf-8"],
    ["text/html; charset=utf-8", "text/html; charset=utf-8"],
    ["text/html", "text/html"],
  ])("of honest servers stays: %s", (given, type) => {
    expect(passedOn(given)).toBe(type);
  });
});
