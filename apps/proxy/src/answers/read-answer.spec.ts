import { BUILT_IN_POLICY } from "@countersign/card-data";
import { describe, expect, it } from "vitest";
import { Scanner } from "../evidence/payloads.js";
import { readAnswer, type Reader } from "./read-answer.js";

const sound = Buffer.from([0, 1, 2, 3, 250, 251, 252, 253]).toString("base64");

const readerWith = (more: Partial<Reader> = {}): Reader => ({
  scanner: new Scanner(() => ({ ...BUILT_IN_POLICY, opaque: "refuse" }), Buffer.alloc(32, 1)),
  own: new Set([1]),
  mayCall: (operation) => operation.kind !== "tool" || operation.name !== "hidden",
  lookAt: () => ({ holds: true }),
  ...more,
});
const delivered = (text: string): string => readAnswer(text, "application/json", readerWith()).text;

describe("what a client gets of an answer", () => {
  it("holds no content that cannot be searched, wherever the entries that are left out had pushed it", () => {
    // No JSON-RPC message, so there is no answer to put an error in place of.
    const readable = Buffer.from("readable").toString("base64");
    const text = delivered(
      `{"id":1,"result":{"tools":[{"name":"hidden"},{"blob":"${sound}"},{"blob":"${readable}"}]}}`,
    );
    expect(text).not.toContain(sound);
    expect(text).toContain("[withheld: ");
    expect(text).toContain(readable);
  });
});
