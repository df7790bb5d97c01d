import type { ServerResponse } from "node:http";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { CallCompleted, MessageRecorded, OriginalSealed } from "@countersign/contracts";
import { GatewayFixture } from "./testing/gateway.fixture.js";

/** Written in groups, so that no other spec that searches the log for a card meets its digits. */
const groups = ["5105", "1051", "0510", "5100"];
const pan = groups.join("");

const notification = (data: string, more: object = {}) => ({
  jsonrpc: "2.0",
  method: "notifications/message",
  params: { level: "info", data, ...more },
});
const digitsOf = (texts: readonly string[]): string => texts.join("").replaceAll(/\D/g, "");

describe("a card that a server cuts over the messages of one stream", () => {
  let gateway: GatewayFixture;

  beforeAll(async () => {
    gateway = await new GatewayFixture(inject("kafkaBrokers")).start();
  });
  afterAll(() => gateway.stop());

  const open = (response: ServerResponse): ServerResponse =>
    response.writeHead(200, { "content-type": "text/event-stream" });
  const send = async (response: ServerResponse, message: unknown): Promise<void> => {
    response.write(`data: ${JSON.stringify(message)}\n\n`);
    // Each message in a chunk of its own, as a server sends what it says one after the other.
    await new Promise((resolve) => setTimeout(resolve, 20));
  };
  const eventsOf = (text: string) =>
    [...text.matchAll(/^data: (.+)$/gm)].map(
      ([, data = ""]) => JSON.parse(data) as { params?: { data: string; message?: string } },
    );
  const messagesOf = async (sessionId: string, count: number): Promise<MessageRecorded[]> => {
    const isEnough = (types: string[]): boolean =>
      types.filter((type) => type === "MessageRecorded").length >= count;
    const records = await gateway.recordsOf(sessionId, isEnough);
    return records
      .filter(({ type }) => type === "MessageRecorded")
      .map(({ data }) => data as MessageRecorded);
  };

  it.each([
    [
      "in two messages",
      ["Pay with 5105 1051", "0510 5100, please"],
      ["Pay with 5105 1051", "**** ****, please"],
    ],
    ["in two, after six digits", ["card 510510", "5105105100"], ["card 510510", "******5100"]],
    ["group by group", groups, ["5105", "1051", "0510", "****"]],
    ["digit by digit", pan.split(""), [...pan.slice(0, -1).split(""), "*"]],
  ])("goes nowhere as a whole: %s", async (_, texts, delivered) => {
    gateway.upstream.respond = (body, response) => {
      void (async () => {
        open(response);
        for (const text of texts) {
          await send(response, notification(text));
          // What lies between at other places changes nothing.
          await send(response, { jsonrpc: "2.0", method: "notifications/progress", params: { progress: 1 } });
        }
        const { id } = JSON.parse(body) as { id: number };
        await send(response, { jsonrpc: "2.0", id, result: { content: [] } });
        response.end();
      })();
    };
    const { token, sessionId } = await gateway.session();
    const call = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "lookup" } };
    const text = await (await gateway.post(token, call)).text();
    const got = eventsOf(text).flatMap(({ params }) => (params?.data === undefined ? [] : [params.data]));
    expect(got).toEqual(delivered);
    expect(digitsOf(got)).not.toContain(pan);

    const records = await messagesOf(sessionId, 2 * texts.length);
    const messages = records.filter(({ message }) => message.text.includes("notifications/message"));
    const recorded = messages.map(
      ({ message }) => (JSON.parse(message.text) as { params: { data: string } }).params.data,
    );
    expect(recorded).toEqual(delivered);
    const { message: last } = messages.at(-1)!;
    expect(last.findings).toMatchObject([
      { kind: "pan", brand: "mastercard", path: "/params/data", rule: "pan.stream", start: 0 },
    ]);
    // What was passed on before stays as it was: nothing of it was masked, so nothing of it was sealed.
    for (const { message } of messages.slice(0, -1)) {
      expect(message).toMatchObject({ findings: [] });
      expect(message).not.toHaveProperty("original");
    }
    const originals = gateway.originals.filter(({ subject }) => subject === sessionId);
    const sealed = originals.filter(({ type }) => type === "OriginalSealed");
    expect(sealed.map(({ data }) => (data as OriginalSealed).originalId)).toEqual([last.original?.id]);
    expect(gateway.logLines.join("")).not.toContain(texts.at(-1) === "5100" ? "0510510" : "5105105100");
  });

  it("leaves the sealed original of the first message as it was, and seals the second, too", async () => {
    gateway.upstream.respond = (body, response) => {
      void (async () => {
        open(response);
        await send(response, notification("of 4000056655665556 and 51051051"));
        await send(response, notification("05105100 it is", { cvv: "123" }));
        const { id } = JSON.parse(body) as { id: number };
        await send(response, { jsonrpc: "2.0", id, result: { content: [] } });
        response.end();
      })();
    };
    const { token, sessionId } = await gateway.session();
    const call = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "lookup" } };
    const text = await (await gateway.post(token, call)).text();
    expect(eventsOf(text).flatMap(({ params }) => params?.data ?? [])).toEqual([
      "of 400005******5556 and 51051051",
      "******** it is",
    ]);
    const [first, second] = (await messagesOf(sessionId, 2)).map(({ message }) => message);
    expect(first?.findings).toMatchObject([{ rule: "pan.range" }]);
    expect(first?.original).toBeDefined();
    expect(second?.findings.map(({ rule }) => rule).toSorted()).toEqual(["cvv.key", "pan.stream"]);
    expect(second?.original?.sha256).not.toBe(first?.original?.sha256);
  });

  it("is masked on a stream that only listens, too, and the last answer of a stream is no part of it", async () => {
    const { token, sessionId } = await gateway.session();
    gateway.upstream.respond = (_, response) => {
      void (async () => {
        open(response);
        await send(response, notification("51051051"));
        await send(response, notification("05105100"));
        response.end();
      })();
    };
    const listening = await fetch(gateway.endpointUrl, {
      headers: { authorization: `Bearer ${token}`, accept: "text/event-stream" },
    });
    expect(eventsOf(await listening.text()).map(({ params }) => params?.data)).toEqual([
      "51051051",
      "********",
    ]);
    const records = await messagesOf(sessionId, 2);
    expect(records.at(-1)?.message.findings).toMatchObject([{ rule: "pan.stream" }]);

    // One stream knows nothing of another: what an earlier call said is no beginning of this one.
    gateway.upstream.respond = (body, response) => {
      void (async () => {
        open(response);
        const { id } = JSON.parse(body) as { id: number };
        await send(response, notification("05105100"));
        await send(response, {
          jsonrpc: "2.0",
          id,
          result: { content: [{ type: "text", text: "51051051" }] },
        });
        response.end();
      })();
    };
    const call = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "lookup" } };
    const text = await (await gateway.post(token, call)).text();
    expect(text).toContain('"data":"05105100"');
    expect(text).toContain('"text":"51051051"');
    const done = await gateway.recordsOf(
      sessionId,
      (types) => types.filter((t) => t === "CallCompleted").length > 1,
    );
    expect(done.at(-1)?.data as CallCompleted).toMatchObject({ outcome: "result" });
  });
});
