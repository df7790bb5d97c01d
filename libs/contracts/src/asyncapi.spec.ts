import { readFileSync } from "node:fs";
import asyncApiSchemas from "@asyncapi/specs";
import { Ajv } from "ajv";
import addFormats from "ajv-formats";
import { describe, expect, it } from "vitest";
import { asyncApiDocument } from "./asyncapi.js";
import { topicNames, topics } from "./topics.js";

type Json = Readonly<Record<string, unknown>>;

const document = asyncApiDocument("0.0.0");

const at = (pointer: string): unknown =>
  pointer
    .split("/")
    .slice(1)
    .reduce<unknown>((value, step) => (value as Json | undefined)?.[step], document);

function referencesIn(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    name === "$ref" && typeof inner === "string" ? [inner] : referencesIn(inner),
  );
}

const ajv = (): Ajv => addFormats.default(new Ajv({ strict: false, allErrors: true }));

describe("the catalogue of events", () => {
  it("is a valid AsyncAPI 3.0 document", () => {
    const validate = ajv().compile(asyncApiSchemas.schemasWithoutId["3.0.0"]);
    validate(document);
    expect(validate.errors).toBeNull();
    // The schema is strict enough to see a mistake.
    expect(validate({ ...document, chanels: {} })).toBe(false);
  });

  it("has no reference into the void", () => {
    const references = referencesIn(document);
    expect(references.length).toBeGreaterThan(topicNames.length);
    expect(references.filter((reference) => at(reference.slice(1)) === undefined)).toEqual([]);
  });

  it("gives one name to one message", () => {
    const types = topicNames.flatMap((name) => topics[name].messages.map(({ type }) => type as string));
    expect(types.length).toBe(new Set(types).size);
  });

  it("has a channel and a writer for each topic", () => {
    expect(Object.keys(at("/channels") as Json)).toEqual(topicNames);
    expect(Object.keys(at("/operations") as Json)).toEqual(
      topicNames.map((name) => `${topics[name].writer === "many" ? "any" : topics[name].writer}/${name}`),
    );
  });

  it("lets a reader meet fields of a later version, and none of another shape", () => {
    const validate = ajv().compile(at("/components/messages/SessionDenied/payload") as Json);
    const data = {
      sessionId: "01900000-0000-7000-8000-000000000001",
      principalId: "company:engineer",
      endpoint: "payments",
      reason: "No policy allows it.",
      policies: [],
      bundleVersion: "0",
    };
    expect(validate({ ...data, addedLater: true })).toBe(true);
    expect(validate({ ...data, sessionId: 7 })).toBe(false);
  });

  it("is committed as it is generated; npm run generate mends it", () => {
    const packageFolder = new URL("../", import.meta.url);
    const read = (name: string): Json =>
      JSON.parse(readFileSync(new URL(name, packageFolder), "utf8")) as Json;
    expect(read("asyncapi.json")).toEqual(asyncApiDocument(String(read("package.json")["version"])));
  });
});
