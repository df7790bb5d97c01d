import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { GatewayFixture } from "./testing/gateway.fixture.js";

const streams = 40;
const eventsPerStream = 5;
const passedOnMsMax = 5;

const median = (values: number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

describe("an event of a stream", () => {
  let gateway: GatewayFixture;

  beforeAll(async () => {
    gateway = await new GatewayFixture(inject("kafkaBrokers")).start();
  });
  afterAll(() => gateway.stop());

  it(`is passed on within ${passedOnMsMax} ms of the acknowledgement of its record, in the median`, async () => {
    const { token } = await gateway.session();
    gateway.upstream.respond = (body, response) => {
      const { id } = JSON.parse(body) as { id: number };
      response.writeHead(200, { "content-type": "text/event-stream" });
      let sent = 0;
      const timer = setInterval(() => {
        sent += 1;
        const isLast = sent === eventsPerStream;
        const message = isLast
          ? { id, result: {} }
          : { method: "notifications/message", params: { data: sent } };
        response.write(`data: ${JSON.stringify({ jsonrpc: "2.0", ...message })}\n\n`);
        if (!isLast) return;
        clearInterval(timer);
        response.end();
      }, 5);
    };
    const afterMs: number[] = [];
    let recordedAt: number | undefined;
    const heard = (moment: unknown): void => {
      if (moment === "answer recorded") recordedAt = performance.now();
      if (moment !== "answer passed on" || recordedAt === undefined) return;
      afterMs.push(performance.now() - recordedAt);
      recordedAt = undefined;
    };
    subscribe("countersign:proxy", heard);
    try {
      for (let id = 1; id <= streams; id += 1) {
        await (
          await gateway.post(token, { jsonrpc: "2.0", id, method: "tools/call", params: { name: "get" } })
        ).text();
      }
    } finally {
      unsubscribe("countersign:proxy", heard);
    }
    expect(afterMs.length).toBeGreaterThan(streams);
    expect(median(afterMs)).toBeLessThan(passedOnMsMax);
  });
});
