import type { CallCompleted, CallIntended, EventMessage, MessageRecorded } from "@countersign/contracts";
import { eventually } from "@countersign/local";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readTopics } from "./read-topics.js";
import { connect, type Sdk, type TestClient } from "./replicas/clients.js";
import { type EndpointName, ReplicaStand } from "./replicas/stand.js";
import { questions } from "./replicas/upstream.js";

const callsMax = 1_000;
/** On a machine that is busy with other things, too. */
const journeyMsMax = 600_000;
const atOncePerClient = 4;
const attemptsMax = 6;
const tools = ["echo", "echo", "work", "ask", "echo", "resume", "announce", "ask"] as const;

/** A connection that broke, an answer that was lost with one, a proxy that was not ready yet or not any more. */
const bearable = /fetch failed|terminated|timed out|still starting|the gateway is stopping/;

/** One call of a client as its caller saw it. */
interface Made {
  readonly mark: string;
  readonly tool: string;
  readonly endpoint: EndpointName;
  readonly answer: string | undefined;
  readonly failure?: string;
}

describe("three proxies behind a round robin without affinity", () => {
  const stand = new ReplicaStand();
  const { upstream } = stand;
  const clients: { client: TestClient; endpoint: EndpointName }[] = [];
  const made: Made[] = [];
  let records: EventMessage[] = [];

  beforeAll(async () => {
    await stand.start();
    const kinds: [Sdk, EndpointName][] = [
      ["SDK 1.x", "sessions"],
      ["SDK 2.x", "sessions"],
      ["SDK 2.x", "stateless"],
    ];
    for (const [sdk, endpoint] of [...kinds, ...kinds]) {
      const token = await stand.tokenFor(endpoint);
      const client = await connect(sdk, `m${clients.length}`, stand.urlOf(endpoint), token);
      clients.push({ endpoint, client });
    }
  });
  afterAll(async () => {
    await Promise.all(clients.map(({ client }) => client.close().catch(() => undefined)));
    await stand.stop();
  });

  async function call(index: number): Promise<void> {
    const { client, endpoint } = clients[index % clients.length] as (typeof clients)[number];
    const tool = tools[Math.floor(index / clients.length) % tools.length] ?? "echo";
    const how = questions[index % questions.length] ?? "elicitation";
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      const mark = `${client.name}-${String(index).padStart(4, "0")}-${attempt}`;
      const about = { mark, tool, endpoint };
      try {
        const answer = await client.call(tool, tool === "ask" ? { mark, how } : { mark }, () => undefined);
        made.push({ ...about, answer });
        return;
      } catch (error) {
        made.push({ ...about, answer: undefined, failure: error instanceof Error ? error.message : "?" });
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }

  it(
    "carry a thousand calls while one is killed and one is drained",
    async () => {
      const initialized = upstream.initialized;
      let next = 0;
      const worker = async (): Promise<void> => {
        while (next < callsMax) await call(next++);
      };
      const calling = Promise.all(Array.from({ length: clients.length * atOncePerClient }, worker));
      await eventually(
        async () => (next > callsMax * 0.3 ? true : undefined),
        "A third of the calls",
        120_000,
      );
      await stand.replicas[0]?.end("SIGKILL");
      await stand.replicas[0]?.start();
      await eventually(async () => (next > callsMax * 0.6 ? true : undefined), "Most of the calls", 120_000);
      expect(await stand.replicas[1]?.end("SIGTERM")).toBe(0);
      await stand.replicas[1]?.start();
      await calling;
      const answered = made.filter(({ answer }) => answer !== undefined);
      const failures = made.filter(({ failure }) => failure !== undefined);
      // What was in flight at the killed proxy failed at its client, which asked again; nothing else did.
      expect(failures.filter(({ failure = "" }) => !bearable.test(failure))).toEqual([]);
      expect(failures.length).toBeLessThan(callsMax / 10);
      expect(answered).toHaveLength(callsMax);
      for (const { mark, answer } of answered) expect(answer).toContain(mark);
      // No client had to begin a session again.
      expect(upstream.initialized).toBe(initialized);
      expect([...stand.balancer.taken.values()].every((count) => count > callsMax / 10)).toBe(true);
    },
    journeyMsMax,
  );

  it("keep streams going: every client still hears of changes after the killing and the draining", async () => {
    for (const { client } of clients) {
      const before = client.changes();
      await client.call("announce", { mark: `late-${client.name}` });
      const heard = async (): Promise<true | undefined> => (client.changes() > before ? true : undefined);
      expect(await eventually(heard, `The change that ${client.name} listens for`)).toBe(true);
    }
  });

  it("leave nothing unrecorded: each delivery has one intent and one end", async () => {
    await Promise.all(clients.map(({ client }) => client.close()));
    const deliveries = [...upstream.delivered];
    expect(deliveries.filter(([, count]) => count > 1)).toEqual([]);
    await eventually(
      async () => {
        records = (await readTopics(stand.suite.brokers, ["mcp.traffic"])).map(({ event }) => event);
        const ended = new Set(
          records.flatMap((record) => (record.type === "CallCompleted" ? [callIdOf(record)] : [])),
        );
        return records.every((record) => record.type !== "CallIntended" || ended.has(callIdOf(record)))
          ? true
          : undefined;
      },
      "An end of every call",
      60_000,
    );
    const intents = new Map<string, string[]>();
    for (const { type, data } of records) {
      if (type !== "CallIntended") continue;
      const { method, request, callId } = data as CallIntended;
      if (method !== "tools/call") continue;
      const { params } = JSON.parse(request.text) as {
        params: { arguments: { mark: string }; inputResponses?: object };
      };
      const key =
        params.inputResponses === undefined ? params.arguments.mark : `${params.arguments.mark} answered`;
      intents.set(key, [...(intents.get(key) ?? []), callId]);
    }
    const ends = new Map<string, string[]>();
    for (const { type, data } of records) {
      if (type !== "CallCompleted") continue;
      const { callId, outcome } = data as CallCompleted;
      ends.set(callId, [...(ends.get(callId) ?? []), outcome]);
    }
    // Exactly one intent for each delivery, and exactly one end for that.
    const unproven = deliveries.filter(([key]) => {
      const [callId, ...more] = intents.get(key) ?? [];
      return callId === undefined || more.length > 0 || ends.get(callId)?.length !== 1;
    });
    expect(unproven).toEqual([]);
  });

  it("record the server's questions and the client's answers, whichever proxies carried them", () => {
    const texts = (direction: MessageRecorded["direction"], kind: MessageRecorded["kind"]): string[] =>
      records.flatMap(({ type, data }) => {
        const message = data as MessageRecorded;
        return type === "MessageRecorded" && message.direction === direction && message.kind === kind
          ? [message.message.text]
          : [];
      });
    const asked = texts("server_to_client", "request");
    const answers = texts("client_to_server", "response");
    const questioned = made.filter(
      ({ tool, answer, endpoint }) => tool === "ask" && endpoint === "sessions" && answer !== undefined,
    );
    expect(questioned.length).toBeGreaterThan(50);
    const once = (found: string[], mark: string): boolean =>
      found.filter((text) => text.includes(mark)).length === 1;
    expect(questioned.filter(({ mark }) => !once(asked, mark))).toEqual([]);
    // A list of roots has no place to repeat what was asked; these are only counted.
    const repeating = questioned.filter(({ answer }) => !answer?.includes("roots"));
    expect(repeating.filter(({ mark }) => !once(answers, mark))).toEqual([]);
    expect(answers.length).toBeGreaterThanOrEqual(questioned.length);
  });

  it("number their records without a gap, each in epochs of its own", () => {
    const bySequence = Map.groupBy(
      records.map(({ data }) => (data as CallIntended).recorder),
      ({ id, epoch }) => `${id}/${epoch}`,
    );
    const gaps = [...bySequence.values()].filter((positions) =>
      positions.some(({ seq }, index) => seq !== index),
    );
    expect(gaps).toEqual([]);
    expect([...bySequence.keys()].filter((place) => place.startsWith("replica-"))).toHaveLength(5);
  });
});

const callIdOf = ({ data }: EventMessage): string => (data as CallIntended).callId;
