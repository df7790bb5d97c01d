import { BUILT_IN_POLICY } from "@countersign/card-data";
import { describe, expect, it } from "vitest";
import { Scanner } from "../evidence/payloads.js";
import { relayEvent } from "./relay-event.js";
import { SseParser } from "./sse.parser.js";

const pan = "4111111111111111";
const scanner = new Scanner(() => BUILT_IN_POLICY, Buffer.alloc(32, 1));
const reader = { scanner, own: new Set<string>(), mayCall: () => true, lookAt: () => ({ holds: true }) };
const relay = (text: string): string =>
  new SseParser(1024)
    .push(Buffer.from(text))
    .map((event) => relayEvent(event, reader).text)
    .join("");

describe("what frames a message", () => {
  it.each([
    ["a comment", `: ${pan}\n\n`, ""],
    ["a field that clients pass over", `card: ${pan}\nid: 1\n\n`, "id: 1\n\n"],
    ["a line without a colon", `${pan}\ndata:\n\n`, "data:\n\n"],
    ["an id that another one follows", `id: ${pan}\nid: 2\ndata:\n\n`, "id: 2\ndata:\n\n"],
    ["a retry hint", `retry: ${pan}\nid: 3\n\n`, "id: 3\n\n"],
    ["an id", `id: ${pan}\n\n`, "id: 411111******1111\n\n"],
    ["an event's name", `event: ${pan}\ndata:\n\n`, "event: 411111******1111\ndata:\n\n"],
  ])("carries no card number either: %s", (_, given, relayed) => {
    expect(relay(given)).toBe(relayed);
  });

  it("passes byte for byte otherwise", () => {
    const text = `retry:500\r\nid: é7\r\nevent: message\r\ndata: {"jsonrpc":"2.0",\r\ndata: "method":"x"}\r\n\r\n`;
    expect(relay(text)).toBe(text);
  });
});
