import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import type {
  CallCompleted,
  CallIntended,
  CallRefused,
  MessageRecorded,
  RequestApproval,
} from "@countersign/contracts";
import { GatewayFixture, until } from "./testing/gateway.fixture.js";

const pan = "4111111111111111";
const shown = "411111******1111";
/** An allowed shape keeps it in the clear, on a log that other specs search for the card above. */
const orderNumber = "4000056655665556";
const modern = "2026-07-28";
/** Neither its head nor its length tells what it is, but MCP says that it is content. */
const sound = Buffer.from([0, 1, 2, 3, 250, 251, 252, 253]).toString("base64");
const picture = Buffer.concat([Buffer.from("89504e470d0a1a0a", "hex"), Buffer.alloc(60, 7)]).toString(
  "base64",
);
const own = { panKeys: [], cvvKeys: [], trackKeys: [], pinKeys: [], contextWords: [], allow: [] };
const run = randomUUID().slice(0, 8);
const plain = `plain-${run}`;
const refuses = `refuses-${run}`;
const readable = `readable-${run}`;
const orders = `orders-${run}`;

const call = (args: object, more: { id?: unknown; name?: string; meta?: object } = {}) => ({
  jsonrpc: "2.0",
  id: more.id ?? 1,
  method: "tools/call",
  params: { name: more.name ?? "lookup", arguments: args, ...(more.meta ? { _meta: more.meta } : {}) },
});
const json = (response: ServerResponse, value: unknown): void =>
  void response
    .writeHead(200, { "content-type": "application/json" })
    .end(typeof value === "string" ? value : JSON.stringify(value));
const stream = (response: ServerResponse, ...values: unknown[]): void => {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.end(values.map((value) => `data: ${JSON.stringify(value)}\n\n`).join(""));
};

describe("card data by the policy of the endpoint", () => {
  let gateway: GatewayFixture;

  beforeAll(async () => {
    gateway = await new GatewayFixture(inject("kafkaBrokers"), {
      cardData: {
        requests: "mask",
        endpoints: {
          [plain]: { ...own, requests: "forward" },
          [refuses]: { ...own, requests: "refuse" },
          [readable]: { ...own, opaque: "refuse" },
          [orders]: {
            ...own,
            panKeys: ["konto"],
            allow: [{ pattern: "ORD-################", reason: "order numbers", expires: "2099-01-01" }],
          },
        },
      },
    }).start();
    for (const name of [plain, refuses, readable, orders])
      await gateway.addEndpoint(gateway.upstream.url, name);
  });
  afterAll(() => gateway.stop());
  beforeEach(() => {
    gateway.upstream.received.length = 0;
    gateway.upstream.respond = (body, response) => {
      const { id } = JSON.parse(body) as { id: unknown };
      json(response, { jsonrpc: "2.0", id, result: { content: [] } });
    };
  });

  const sessionAt = async (endpoint: string) => {
    const { token, sessionId } = await gateway.session({ endpoint });
    const recordOf = async <T>(type: string): Promise<T> => {
      const records = await gateway.recordsOf(sessionId, (types) => types.includes(type));
      return records.find((record) => record.type === type)?.data as T;
    };
    return {
      sessionId,
      recordOf,
      post: (message: unknown, headers: Record<string, string> = {}) =>
        gateway.post(token, message, headers, endpoint),
    };
  };
  const forwarded = () =>
    JSON.stringify(gateway.upstream.received.map(({ headers, body }) => [headers, body]));

  describe("that takes none", () => {
    it.each([
      ["an argument", call({ search: pan }), "pan at /params/arguments/search"],
      ["a code", call({ cvv: "123" }), "cvv at /params/arguments/cvv"],
      ["the name of a member", call({ [pan]: 1 }), `pan at /params/arguments/${shown}`],
      ["base64", call({ a: Buffer.from(`card ${pan} of mine`).toString("base64") }), "pan at"],
      [
        "an address",
        { jsonrpc: "2.0", id: 1, method: "resources/read", params: { uri: `x://${pan}` } },
        "pan at",
      ],
    ])(
      "refuses a request with card data in %s: says why, records it and forwards nothing",
      async (_, message, why) => {
        const { post, recordOf } = await sessionAt(refuses);
        const response = await post(message);
        const text = await response.text();
        expect(response.status).toBe(200);
        expect(JSON.parse(text)).toMatchObject({
          id: 1,
          error: { code: -32_001, data: { code: "card_data" } },
        });
        expect(text).toContain(why);
        expect(text).not.toContain(pan);
        const refused = await recordOf<CallRefused>("CallRefused");
        expect(refused).toMatchObject({
          reason: "card_data",
          detail: expect.stringContaining("leave it out"),
        });
        expect(refused.request?.findings.length).toBeGreaterThan(0);
        expect(JSON.stringify(refused)).not.toContain(pan);
        expect(gateway.upstream.received).toEqual([]);
      },
    );

    it("refuses it in headers that would travel upstream, in notifications, answers and batches", async () => {
      const { post } = await sessionAt(refuses);
      const other = call({ a: 1 });
      expect((await post(other, { "x-trace": `card ${pan}` })).status).toBe(400);
      const notification = { jsonrpc: "2.0", method: "notifications/x", params: { note: pan } };
      expect((await post(notification)).status).toBe(400);
      expect((await post({ jsonrpc: "2.0", id: 7, result: { content: { pan } } })).status).toBe(400);
      const batch = await post([other, call({ search: pan }, { id: 2 })]);
      expect(await batch.json()).toMatchObject([
        { id: 1, error: { data: { code: "card_data" } } },
        { id: 2, error: { data: { code: "card_data" } } },
      ]);
      expect(gateway.upstream.received).toEqual([]);
    });

    it("lets others pass, whatever their ids look like", async () => {
      const { post } = await sessionAt(refuses);
      const answered = await (await post(call({ a: 1 }, { id: Number(pan) }))).json();
      expect(answered).toMatchObject({ id: Number(pan), result: {} });
      expect(gateway.upstream.received).toHaveLength(1);
    });
  });

  describe("that takes it masked", () => {
    const masksAt = () => sessionAt(gateway.endpointName);

    it("forwards nothing of it in body or headers, and records what it forwards", async () => {
      const { post, recordOf } = await masksAt();
      const args = { pan, cvv: "123", code: "123", note: "stays  \u00e9", amount: 1.1 };
      const text = `{"jsonrpc":"2.0", "id":1,"method":"tools/call","params":{"name":"lookup","arguments":${JSON.stringify(args)},"_meta":{"io.modelcontextprotocol/protocolVersion":"${modern}"}}}`;
      const response = await post(text, {
        "mcp-protocol-version": modern,
        "mcp-method": "tools/call",
        "mcp-name": "lookup",
        "mcp-param-pan": pan,
        "mcp-param-base64": `=?base64?${Buffer.from(pan).toString("base64")}?=`,
        "x-trace": `about ${pan}`,
      });
      expect(response.status).toBe(200);
      const [request] = gateway.upstream.received;
      expect(request?.body).toBe(text.replace(pan, shown).replace('"cvv":"123"', '"cvv":"***"'));
      expect(request?.headers).toMatchObject({
        "mcp-method": "tools/call",
        "mcp-name": "lookup",
        "mcp-param-pan": shown,
        "mcp-param-base64": `=?base64?${Buffer.from(shown).toString("base64")}?=`,
        "x-trace": `about ${shown}`,
      });
      expect(forwarded()).not.toContain(pan);
      expect(forwarded()).not.toContain(Buffer.from(pan).toString("base64"));
      const { request: recorded, headers } = await recordOf<CallIntended>("CallIntended");
      expect(recorded.text).toBe(request?.body);
      expect(JSON.parse(headers?.text ?? "")).toMatchObject({
        "mcp-param-base64": shown,
        "x-trace": `about ${shown}`,
      });
      expect(recorded.findings.map(({ kind }) => kind)).toEqual(["pan", "cvv"]);
    });

    it("never says in a header what the body no longer does, even where only the name of the field tells", async () => {
      const { post } = await masksAt();
      await post(call({ cvv: "737" }), { "mcp-param-cvv": "737" });
      const [request] = gateway.upstream.received;
      expect(request?.headers["mcp-param-cvv"]).toBe("***");
      expect(request?.body).toBe(JSON.stringify(call({ cvv: "***" })));
    });

    it("still refuses headers that do not say what the message says", async () => {
      const { post } = await masksAt();
      const message = call({ pan });
      expect((await post(message, { "mcp-param-pan": shown })).status).toBe(400);
      expect((await post(message, { "mcp-param-pan": "4000056655665556" })).status).toBe(400);
      expect(gateway.upstream.received).toEqual([]);
    });

    it("masks each message of a batch, and a client's answers", async () => {
      const { post } = await masksAt();
      await post([call({ a: pan }), call({ b: 2 }, { id: 2 })]);
      await post({ jsonrpc: "2.0", id: "q-1", result: { action: "accept", content: { card: pan } } });
      expect(gateway.upstream.received).toHaveLength(2);
      expect(forwarded()).not.toContain(pan);
      expect(JSON.parse(gateway.upstream.received[0]?.body ?? "")).toEqual([
        call({ a: shown }),
        call({ b: 2 }, { id: 2 }),
      ]);
    });

    it("forwards ids, tokens of progress and cancelled ids as they are, since the server answers by them", async () => {
      const { post } = await masksAt();
      await post(call({ a: pan }, { id: pan, meta: { progressToken: pan } }));
      await post({
        jsonrpc: "2.0",
        method: "notifications/cancelled",
        params: { requestId: pan, reason: pan },
      });
      const [asked, cancelled] = gateway.upstream.received.map(({ body }) => JSON.parse(body) as object);
      expect(asked).toEqual(call({ a: shown }, { id: pan, meta: { progressToken: pan } }));
      expect(cancelled).toMatchObject({ params: { requestId: pan, reason: shown } });
    });

    it("has approved exactly what it forwards", async () => {
      const { post, sessionId } = await masksAt();
      const requested = () =>
        gateway.commands
          .map(({ data }) => data as RequestApproval)
          .filter((asked) => asked.sessionId === sessionId);
      const held = async (args: object): Promise<string> => {
        const before = requested().length;
        const answering = post(call(args, { name: "refund" })).then((response) => response.text());
        await until(() => requested().length > before, "an approval is asked for");
        const asked = requested()[before]!;
        await gateway.decide(asked, "ApprovalGranted");
        await answering;
        return asked.requestDigest;
      };
      const first = await held({ pan, amount: 5 });
      const second = await held({ pan: shown, amount: 5 });
      const bodies = gateway.upstream.received.map(({ body }) => body);
      expect(bodies).toEqual([
        JSON.stringify(call({ pan: shown, amount: 5 }, { name: "refund" })),
        JSON.stringify(call({ pan: shown, amount: 5 }, { name: "refund" })),
      ]);
      expect(requested().map((asked) => asked.arguments)).toEqual([
        JSON.stringify({ pan: shown, amount: 5 }),
        JSON.stringify({ pan: shown, amount: 5 }),
      ]);
      expect(first).toBe(second);
      expect(await held({ pan: shown, amount: 6 })).not.toBe(first);
    });
  });

  it("is not taken by an endpoint for which nothing was said yet", async () => {
    const early = await gateway.addEndpointTooEarly(gateway.upstream.url);
    const { token } = await gateway.session({ endpoint: early });
    const response = await fetch(`${gateway.url}/mcp/${early}`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify(call({ note: pan })),
    });
    expect(response.status).toBe(503);
    expect(gateway.upstream.received).toEqual([]);
  });

  it("is forwarded as it is where the endpoint says so, and recorded masked", async () => {
    const { post, recordOf } = await sessionAt(plain);
    const message = call({ pan, cvv: "123" });
    await post(message, { "x-trace": `of ${pan}`, "mcp-param-cvv": "123" });
    expect(gateway.upstream.received[0]?.body).toBe(JSON.stringify(message));
    expect(gateway.upstream.received[0]?.headers["x-trace"]).toBe(`of ${pan}`);
    const intended = await recordOf<CallIntended>("CallIntended");
    expect(intended.request.text).toContain(shown);
    expect(JSON.stringify(intended)).not.toContain(pan);
    expect(gateway.upstream.received[0]?.headers["mcp-param-cvv"]).toBe("123");
    expect(JSON.parse(intended.headers?.text ?? "")).toMatchObject({
      "x-trace": `of ${shown}`,
      "mcp-param-cvv": "***",
    });
    expect(intended.headers?.original).toBeDefined();
  });

  it("is what the endpoint says it is, on top of what it is everywhere", async () => {
    const message = call({ konto: "4111111111111112", order: `ORD-${orderNumber}`, pan });
    const there = await sessionAt(orders);
    await there.post(message);
    const here = await sessionAt(plain);
    await here.post(message);
    expect((await there.recordOf<CallIntended>("CallIntended")).request.text).toContain(
      `{"konto":"411111******1112","order":"ORD-${orderNumber}","pan":"${shown}"}`,
    );
    expect((await here.recordOf<CallIntended>("CallIntended")).request.text).toContain(
      `{"konto":"4111111111111112","order":"ORD-400005******5556","pan":"${shown}"}`,
    );
  });

  describe("ids that look like a card", () => {
    const progress = (progressToken: unknown) => ({
      jsonrpc: "2.0",
      method: "notifications/progress",
      params: { progressToken, progress: 1 },
    });

    it.each([Number(pan), pan])("come back as they came, and are recorded masked: %j", async (id) => {
      for (const answers of [json, stream]) {
        const { post, recordOf } = await sessionAt(plain);
        gateway.upstream.respond = (_, response) =>
          answers(response, { jsonrpc: "2.0", id, result: { content: [{ type: "text", text: pan }] } });
        const text = await (await post(call({}, { id }))).text();
        expect(text).toContain(`"id":${JSON.stringify(id)},`);
        expect(text).toContain(`"text":"${shown}"`);
        const completed = await recordOf<CallCompleted>("CallCompleted");
        expect(completed.outcome).toBe("result");
        expect(JSON.stringify(completed)).not.toContain(pan);
      }
    });

    it("come back to nobody who did not send them", async () => {
      const { post } = await sessionAt(plain);
      gateway.upstream.respond = (_, response) =>
        stream(
          response,
          progress(pan),
          { jsonrpc: "2.0", id: pan, method: "ping" },
          { jsonrpc: "2.0", id: pan, result: {} },
          { jsonrpc: "2.0", id: 1, result: {} },
        );
      expect(await (await post(call({}))).text()).not.toContain(pan);
    });

    it("and tokens of progress too", async () => {
      const { post, recordOf } = await sessionAt(plain);
      gateway.upstream.respond = (_, response) =>
        stream(response, progress(pan), { jsonrpc: "2.0", id: 1, result: {} });
      const text = await (await post(call({}, { meta: { progressToken: pan } }))).text();
      expect(text).toContain(`"progressToken":"${pan}"`);
      expect((await recordOf<MessageRecorded>("MessageRecorded")).message.text).toContain(shown);
    });
  });

  describe("content that cannot be searched", () => {
    const contents: [string, object, string, string][] = [
      [
        "a picture",
        { content: [{ type: "image", data: picture, mimeType: "image/png" }] },
        "/result/content/0/data",
        "unscanned.binary",
      ],
      [
        "a sound",
        { content: [{ type: "audio", data: sound, mimeType: "audio/pcm" }] },
        "/result/content/0/data",
        "unscanned.content",
      ],
      [
        "an embedded resource",
        { content: [{ type: "resource", resource: { uri: "x://1", blob: sound } }] },
        "/result/content/0/resource/blob",
        "unscanned.content",
      ],
      [
        "a resource",
        { contents: [{ uri: "x://1", blob: sound }] },
        "/result/contents/0/blob",
        "unscanned.content",
      ],
      [
        "a picture of a prompt",
        { messages: [{ role: "user", content: { type: "image", data: sound } }] },
        "/result/messages/0/content/data",
        "unscanned.content",
      ],
    ];
    const headersOf = (era: string): Record<string, string> =>
      era === "modern" ? { "mcp-protocol-version": modern } : {};
    const ways = [json, stream].flatMap((answers) =>
      ["legacy", "modern"].flatMap((era) =>
        contents.map((content) => [answers.name, era, ...content, answers] as const),
      ),
    );

    it.each(ways)(
      "(%s, %s) passes with a finding that says so: %s",
      async (_, era, __, result, path, rule, answers) => {
        const { post, recordOf } = await sessionAt(plain);
        gateway.upstream.respond = (_, response) => answers(response, { jsonrpc: "2.0", id: 1, result });
        expect(await (await post(call({}), headersOf(era))).text()).toContain(JSON.stringify(result));
        const { response } = await recordOf<CallCompleted>("CallCompleted");
        expect(response?.findings).toEqual([expect.objectContaining({ kind: "unscanned", path, rule })]);
      },
    );

    it.each(ways)(
      "(%s, %s) is withheld where the endpoint says so, and not recorded either: %s",
      async (_, era, __, result, path, ___, answers) => {
        const { post, recordOf } = await sessionAt(readable);
        gateway.upstream.respond = (_, response) => answers(response, { jsonrpc: "2.0", id: 1, result });
        const text = await (await post(call({}), headersOf(era))).text();
        const answered = JSON.parse(text.replace(/^.*data: /s, "")) as object;
        expect(answered).toMatchObject({ id: 1, error: { data: { code: "opaque_content" } } });
        const { response, outcome, detail } = await recordOf<CallCompleted>("CallCompleted");
        expect(outcome).toBe("error");
        expect(detail).toContain("withheld");
        expect(response?.findings).toEqual([expect.objectContaining({ kind: "unscanned", path })]);
        expect(response?.text).toContain("[withheld: ");
        for (const secret of [sound, picture]) expect(response?.text + text).not.toContain(secret);
        expect(response?.original).toBeUndefined();
      },
    );

    it("leaves a server's own request and notification without it, so that they are still answered", async () => {
      const { post } = await sessionAt(readable);
      const sampling = { role: "user", content: { type: "image", data: picture, mimeType: "image/png" } };
      gateway.upstream.respond = (_, response) =>
        stream(
          response,
          { jsonrpc: "2.0", id: "s-1", method: "sampling/createMessage", params: { messages: [sampling] } },
          { jsonrpc: "2.0", method: "notifications/message", params: { level: "info", data: picture } },
          { jsonrpc: "2.0", id: 1, result: { content: [{ type: "text", text: "fine" }] } },
        );
      const text = await (await post(call({}))).text();
      expect(text).not.toContain(picture);
      expect(text).toContain('"method":"sampling/createMessage"');
      expect(text).toContain('"text":"fine"');
    });

    it("is refused in requests there too, and not recorded", async () => {
      const { post, recordOf } = await sessionAt(readable);
      const answered = await (await post(call({ upload: picture }))).json();
      expect(answered).toMatchObject({ id: 1, error: { data: { code: "opaque_content" } } });
      const { reason, request } = await recordOf<CallRefused>("CallRefused");
      expect(reason).toBe("opaque_content");
      expect(request?.text).not.toContain(picture);
      expect(gateway.upstream.received).toEqual([]);
    });

    it.each([
      ["a header says something else", call({ upload: picture }), { "mcp-name": "other" }],
      ["two calls have one id", [call({ upload: picture }), call({})], {}],
      ["it is no message", { jsonrpc: "2.0", upload: [{ type: "audio", data: sound }] }, {}],
    ])("is not recorded of a request that is refused because %s", async (_, message, headers) => {
      const { post, recordOf } = await sessionAt(readable);
      expect((await post(message, headers)).status).toBe(400);
      const { reason, request } = await recordOf<CallRefused>("CallRefused");
      expect(reason).toBe("malformed");
      expect(request?.text).toContain("[withheld: ");
      for (const secret of [sound, picture]) expect(request?.text).not.toContain(secret);
    });

    it("is not recorded of what is no JSON at all, on either side", async () => {
      const { post, recordOf } = await sessionAt(readable);
      expect((await post(`{"image":"${picture}",}`)).status).toBe(400);
      const { request } = await recordOf<CallRefused>("CallRefused");
      gateway.upstream.respond = (_, response) =>
        void response.writeHead(200, { "content-type": "application/json" }).end(`{"data":"${sound}",}`);
      await post(call({}));
      const { response } = await recordOf<CallCompleted>("CallCompleted");
      for (const kept of [request, response]) {
        expect(kept?.text).toMatch(/^"?\[withheld: \d+ characters/);
        expect(kept?.original).toBeUndefined();
      }
    });

    it("is not recorded of an answer that is refused for something else", async () => {
      const { post, recordOf } = await sessionAt(readable);
      gateway.upstream.respond = (_, response) =>
        json(response, {
          jsonrpc: "2.0",
          id: 1,
          result: { requestState: pan, content: [{ type: "audio", data: sound }] },
        });
      await post(call({}));
      const { response, outcome } = await recordOf<CallCompleted>("CallCompleted");
      expect(outcome).toBe("upstream_failed");
      expect(response?.text).toContain("[withheld: ");
      expect(JSON.stringify(response)).not.toContain(sound);
      expect(response?.original).toBeUndefined();
    });

    it("is not text in base64, which is searched", async () => {
      const { post, recordOf } = await sessionAt(readable);
      const blob = Buffer.from(`name,pan\nAda,${pan}\n`).toString("base64");
      gateway.upstream.respond = (_, response) =>
        json(response, {
          jsonrpc: "2.0",
          id: 1,
          result: { contents: [{ uri: "x://1", mimeType: "text/csv", blob }] },
        });
      const { result } = (await (await post(call({}))).json()) as {
        result: { contents: { blob: string }[] };
      };
      expect(Buffer.from(result.contents[0]?.blob ?? "", "base64").toString()).toBe(
        `name,pan\nAda,${shown}\n`,
      );
      expect((await recordOf<CallCompleted>("CallCompleted")).outcome).toBe("result");
    });
  });
});
