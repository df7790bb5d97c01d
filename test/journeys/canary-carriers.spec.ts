import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ServiceName, serviceNames } from "@countersign/contracts";
import { apiTokenOf, callApi, type ConnectedClient, connectAs, eventually } from "@countersign/local";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Canaries, dumpOf, filesBelow, found, readBytes, writingsOf } from "./canaries.js";
import { carried, Cards, commonDigits, spaced } from "./carriers.js";
import { HostileServer, stdioProgram } from "./hostile-server.js";
import { startTestSuite } from "./suite.fixture.js";

const root = new URL("../../", import.meta.url).pathname;
const cards = new Cards();
const anyCard = writingsOf(commonDigits);
const own = (name: string): string => cards.of(name);
const notification = (method: string, params: object) => ({ jsonrpc: "2.0", method, params });
const text = (value: string) => ({ type: "text", text: value });
/** A message of the server that comes before its answer. */
const asked = (method: string, where: string, params: object) => ({
  jsonrpc: "2.0",
  id: `${where}-1`,
  method,
  params: { ...params, ...carried(cards, where) },
});

describe("whatever carries card data, none of it is kept", () => {
  const folder = mkdtempSync(join(tmpdir(), "countersign-config-"));
  let hostile: HostileServer;
  let suite: Awaited<ReturnType<typeof startTestSuite>>;
  let engineer: ConnectedClient;
  let canaries: Canaries;

  beforeAll(async () => {
    hostile = await new HostileServer().start();
    configure(folder, hostile.url);
    suite = await startTestSuite({
      LOG_LEVEL: "debug",
      COUNTERSIGN_CONFIG: join(folder, "countersign.yaml"),
      STDIO_COMMANDS: process.execPath,
    });
    engineer = await connectAs("engineer", `${suite.urls.proxy}/mcp/payments`, "OPS-9: carriers");
    await everyCarrier(engineer.token);
    const program = await connectAs("engineer", `${suite.urls.proxy}/mcp/exports`, "OPS-9: a program");
    await post(program.token, "exports", call(carried(cards, "standard error")));
    await program.close().catch(() => undefined);
    canaries = {
      "verification code": /(?:cvv|code)\W{0,8}7391/i,
      "track data": /CANARY\/TRACK\^2912|=29121015432112345678/,
      "PIN block": "0412AC89ABCDEF67",
      "access token of a session": engineer.token.split(".")[2] ?? "",
      "upstream secret": secretIn("payments-upstream-token"),
    };
  });
  afterAll(async () => {
    await engineer?.close().catch(() => undefined);
    await suite?.forget();
    hostile?.stop();
    rmSync(folder, { recursive: true });
  });

  const secretIn = (name: string): string => {
    const file = filesBelow(join(suite.dataDir, "secrets")).find((path) => path.includes(name));
    return readFileSync(file ?? "", "utf8").trim();
  };

  const post = async (
    token: string,
    endpoint: string,
    message: unknown,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; body: string }> => {
    const response = await fetch(`${suite.urls.proxy}/mcp/${endpoint}`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${token}`,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        ...headers,
      },
      body: typeof message === "string" ? message : JSON.stringify(message),
    });
    return { status: response.status, body: await response.text() };
  };

  const everyCarrier = async (token: string): Promise<void> => {
    const delivered: string[] = [];
    const say = async (answer: object, message: object, before: readonly object[] = []): Promise<void> => {
      for (const asStream of before.length > 0 ? [true] : [false, true]) {
        hostile.script = { answer, asStream, before };
        const { body } = await post(token, "payments", message);
        delivered.push(body);
      }
    };
    const lookup = call({ search: "x" });
    const structured = carried(cards, "structured content");
    await say(
      { result: { structuredContent: structured, content: [text(JSON.stringify(structured))] } },
      lookup,
    );
    await say({ result: { content: [text(own("text content"))], isError: true } }, lookup);
    const blob = Buffer.from(`card number\n${own("blob")}\n`).toString("base64");
    const contents = [{ uri: `x://${own("uri in an answer")}`, text: own("resource text"), blob }];
    await say({ result: { contents } }, request("resources/read", { uri: `x://${own("uri of a request")}` }));
    await say(
      {
        result: {
          messages: [{ role: "user", content: text(own("prompt")) }],
          description: own("description"),
        },
      },
      request("prompts/get", { name: "p", arguments: carried(cards, "arguments of a prompt") }),
    );
    await say(
      { error: { code: -1, message: `no ${own("error message")}`, data: carried(cards, "error data") } },
      lookup,
    );
    await say({ result: { content: [] } }, lookup, [
      asked("sampling/createMessage", "sampling", { messages: [] }),
      asked("elicitation/create", "elicitation", { message: "?" }),
      notification("notifications/progress", { progressToken: own("progress token"), progress: 1 }),
      notification("notifications/message", { level: "info", data: carried(cards, "log notification") }),
    ]);
    for (const body of delivered) expect(foundIn(body)).toEqual([]);

    hostile.script = { answer: { result: { content: [] } }, asStream: false };
    await post(token, "payments", call(carried(cards, "tool arguments")));
    await post(token, "payments", call({}, own("request id")));
    await post(token, "payments", call({}, Number(own("request id as a number"))));
    await post(token, "payments", { jsonrpc: "2.0", id: "s-1", result: carried(cards, "client's answer") });
    const error = { code: 1, message: own("client's error") };
    await post(token, "payments", { jsonrpc: "2.0", id: "s-2", error });
    await post(
      token,
      "payments",
      notification("notifications/cancelled", { requestId: own("cancelled id") }),
    );
    const region = own("parameter's header");
    const modern = { "mcp-protocol-version": "2026-07-28", "mcp-param-region": region };
    await post(token, "payments", call({ region }), modern);
    await post(token, "payments", lookup, {
      ...modern,
      "mcp-param-region": own("parameter's header that lies"),
    });
    await post(token, `payments?card=${own("query")}&cvv=7391`, lookup);
    await post(token, own("name of an endpoint"), lookup);
    await post(token, "payments", `{"jsonrpc":"2.0","id":1,"pan":"${spaced(own("broken JSON"))}"`);
    await post(token, "payments", lookup, { "user-agent": own("user agent"), "x-trace": own("header") });
    await post(`${token}${own("broken token")}`, "payments", lookup);
    for (const name of serviceNames) {
      await fetch(`${suite.urls[name]}/nothing/${own(`path at ${name}`)}?card=${own(`query at ${name}`)}`, {
        headers: { referer: `http://x/${own(`referer at ${name}`)}` },
      });
    }
  };
  /** The cards and other secrets in what was kept or delivered. */
  const foundIn = (content: Buffer | string): string[] => {
    const held = typeof content === "string" ? content : content.toString("latin1");
    const names = anyCard.test(held)
      ? [...cards.all].filter(([, card]) => writingsOf(card).test(held)).map(([name]) => name)
      : [];
    return [...names, ...found(canaries ?? {}, held)];
  };

  /** Where something was found, and what. */
  const heldAnywhere = async (): Promise<[string, string[]][]> => {
    const files = filesBelow(suite.dataDir).filter((path) => !/[/\\](?:postgres|secrets)[/\\]/.test(path));
    if (files.filter((path) => path.includes("kafka") && path.endsWith(".log")).length < 10) {
      throw new Error("Kafka's files are not where they are looked for");
    }
    const held = files.map((file): [string, string[]] => [file, foundIn(readBytes(file))]);
    const url = new URL(suite.adminDatabaseUrl);
    url.pathname = "/countersign";
    for (const { table, text: rows } of await dumpOf(url.href)) held.push([table, foundIn(rows)]);
    for (const name of serviceNames) {
      held.push([name, foundIn(await (await fetch(`${suite.urls[name]}/metrics`)).text())]);
    }
    return held.filter(([, names]) => names.length > 0);
  };

  it("the search finds every way to write a card", () => {
    const all = carried(cards, "tool arguments");
    for (const value of Object.entries(all)) {
      const isCard = !["cvv", "pin_block"].includes(value[0]);
      expect([value[0], foundIn(value.join(" ")).some((name) => name.startsWith("tool arguments"))]).toEqual([
        value[0],
        isCard,
      ]);
    }
  });

  it("in Kafka's files, PostgreSQL, logs and metrics", async () => {
    expect(await heldAnywhere()).toEqual([]);
  }, 120_000);

  it("after the proxy and audit crashed hard either, and they leave no dump and no report", async () => {
    for (const [name, signal] of [
      ["proxy", "SIGABRT"],
      ["audit", "SIGSEGV"],
    ] as [ServiceName, NodeJS.Signals][]) {
      const service = suite.service(name);
      expect(coreLimitOf(service.pid)).toBe("0");
      process.kill(service.pid, signal);
      await eventually(async () => (service.isRunning ? undefined : true), `The crash of ${name}`);
      await service.start();
    }
    const places = [suite.dataDir, join(root, "apps/proxy"), join(root, "apps/audit")];
    const left = places
      .flatMap((place) => filesBelow(place).filter((path) => !path.includes("node_modules")))
      .filter((path) =>
        /(?:^|[/\\])(?:core(?:\.\d+)?|report\.[^/\\]*\.json|[^/\\]*\.heapsnapshot)$/.test(path),
      );
    expect(left).toEqual([]);
    expect(await heldAnywhere()).toEqual([]);
  }, 180_000);

  it("and no sealed original holds a code, a track or a PIN block, while the cards are there", async () => {
    const auditor = await apiTokenOf("auditor", suite.urls.identity);
    const url = new URL(suite.adminDatabaseUrl);
    url.pathname = "/countersign";
    const database = new pg.Client({ connectionString: url.href });
    await database.connect();
    const ids = await eventually(async () => {
      const { rows } = await database.query<{ id: string }>(
        "SELECT original_id AS id FROM masking.originals",
      );
      return rows.length > 20 ? rows.map(({ id }) => id) : undefined;
    }, "The originals");
    await database.end();
    const never: Canaries = {
      "verification code": /(?:cvv|code)\W{0,8}7391/i,
      "CSV's code": /,7391/,
      "track data": /CANARY\/TRACK\^2912|=29121015432112345678/,
      "PIN block": "0412AC89ABCDEF67",
    };
    let opened = "";
    for (const id of ids) {
      const reveal = { justification: "looks for canaries" };
      const { status, json } = await callApi(auditor, `${suite.urls.masking}/originals/${id}/reveal`, reveal);
      expect(status).toBe(200);
      const original = (json as { text: string }).text;
      expect([id, found(never, original)]).toEqual([id, []]);
      opened += original;
    }
    for (const where of [
      "tool arguments",
      "structured content",
      "error data",
      "sampling",
      "client's answer",
    ]) {
      for (const name of ["JSON string", "JSON number", "object key", "free text", "CSV", "base64"]) {
        expect([where, name, writingsOf(own(`${where}: ${name}`)).test(opened)]).toEqual([where, name, true]);
      }
      expect(writingsOf(own(`${where}: track 1`)).test(opened)).toBe(false);
    }
  }, 120_000);
});

/** How large a core dump may be; where the system does not tell, none is assumed. */
function coreLimitOf(pid: number): string | undefined {
  if (process.platform !== "linux") return "0";
  return /^Max core file size +0 +(\S+)/m.exec(readFileSync(`/proc/${pid}/limits`, "utf8"))?.[1];
}

const request = (method: string, params: object, id: unknown = 1) => ({ jsonrpc: "2.0", id, method, params });
const call = (args: object, id?: unknown) =>
  request("tools/call", { name: "query_customers", arguments: args }, id ?? 1);

/** The configuration of this repository with the hostile server behind `payments`, and a program behind `exports`. */
function configure(folder: string, upstreamUrl: string): void {
  cpSync(join(root, "policies"), join(folder, "policies"), { recursive: true });
  writeFileSync(join(folder, "server.mjs"), stdioProgram);
  writeFileSync(
    join(folder, "policies", "exports.cedar"),
    `@id("exports") permit (
      principal in Group::"payments-engineers",
      action in [Action::"openSession", Action::"openSessionUnattended", Action::"call", Action::"callUnattended"],
      resource in Endpoint::"exports"
    );\n`,
  );
  const yaml = readFileSync(join(root, "countersign.yaml"), "utf8");
  const program = `  - name: exports
    upstream:
      transport: stdio
      command: [${JSON.stringify(process.execPath)}, ${JSON.stringify(join(folder, "server.mjs"))}]
`;
  writeFileSync(
    join(folder, "countersign.yaml"),
    yaml
      .replace("${PAYMENTS_URL:-http://127.0.0.1:8091/mcp}", upstreamUrl)
      .replace(/^endpoints:\n/m, `endpoints:\n${program}`),
  );
}
