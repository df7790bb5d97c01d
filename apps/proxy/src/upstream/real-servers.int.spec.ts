import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  Client as ClientOfBothEras,
  StreamableHTTPClientTransport as Transport,
} from "@modelcontextprotocol/client";
import { Client as LegacyClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as LegacyTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { CreateMessageRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import type { CallCompleted, Endpoint, StdioUpstream } from "@countersign/contracts";
import { freePort } from "@countersign/service-kit/ports";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { GatewayFixture, until } from "../testing/gateway.fixture.js";
import { installed } from "../testing/npm-server.fixture.js";

const pan = "4111111111111111";
const maskedPan = "411111******1111";
const secret = "upstream-canary-5f2a-77";
const sh = "/bin/sh";

let gateway: GatewayFixture;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "countersign-cards-"));
  await writeFile(join(folder, "export.csv"), `id,card\n1,${pan}\n`);
  process.env["TEST_SERVER_SECRET"] = secret;
  gateway = await new GatewayFixture(inject("kafkaBrokers"), {
    environment: { STDIO_COMMANDS: `${process.execPath},${sh}`, PATH: process.env["PATH"] ?? "" },
  }).start();
});
afterAll(async () => {
  await gateway.stop();
  await rm(folder, { recursive: true, force: true });
});

const program = (command: string[], environment: StdioUpstream["environment"] = {}): StdioUpstream => ({
  transport: "stdio",
  command: [process.execPath, ...command],
  environment,
  processesMax: 4,
  idleSeconds: 60,
  timeoutSeconds: 20,
});

interface Connected<C> {
  readonly client: C;
  readonly sessionId: string;
  readonly endpoint: string;
}
const granted = async (upstream: Endpoint["upstream"]) => {
  const endpoint = await gateway.addEndpoint(upstream);
  const { token, sessionId } = await gateway.session({ endpoint });
  const url = new URL(`${gateway.url}/mcp/${endpoint}`);
  return { endpoint, sessionId, url, requestInit: { headers: { authorization: `Bearer ${token}` } } };
};
const connectLegacy = async (upstream: Endpoint["upstream"]): Promise<Connected<LegacyClient>> => {
  const { url, requestInit, ...names } = await granted(upstream);
  const client = new LegacyClient({ name: "test", version: "1" }, { capabilities: { sampling: {} } });
  client.setRequestHandler(CreateMessageRequestSchema, () => ({
    model: "test",
    role: "assistant",
    content: { type: "text", text: "sampled" },
  }));
  await client.connect(new LegacyTransport(url, { requestInit }));
  return { client, ...names };
};
const connect = async (upstream: Endpoint["upstream"]): Promise<Connected<ClientOfBothEras>> => {
  const { url, requestInit, ...names } = await granted(upstream);
  const client = new ClientOfBothEras(
    { name: "test", version: "1" },
    { versionNegotiation: { mode: "auto" } },
  );
  await client.connect(new Transport(url, { requestInit }));
  return { client, ...names };
};
const revoke = (sessionId: string, endpoint: string) =>
  gateway.publishSessionEvent("SessionRevoked", sessionId, {
    sessionId,
    principalId: "company:engineer",
    endpoint,
    by: { id: "company:admin" },
    reason: "test",
  });
/** How many processes on this machine have a text in their command line. */
const processesWith = async (text: string): Promise<number> => {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")),
  );
  return lines.filter((line) => line.includes(text)).length;
};
/** Nothing that the gateway keeps or says holds a card number or the upstream's secret. */
const nothingLeaked = (): void => {
  const kept = JSON.stringify(gateway.traffic) + gateway.logLines.join("");
  expect(kept).not.toContain(pan);
  expect(kept).not.toContain(secret);
};

describe("the file server that the gateway runs", () => {
  // It is a program and no library, so its package has nothing to import.
  const manifest = createRequire(import.meta.url).resolve(
    "@modelcontextprotocol/server-filesystem/package.json",
  );
  const server = join(dirname(manifest), "dist/index.js");

  it("loses its process when the session is revoked, in the middle of whatever it does", async () => {
    const { client, sessionId, endpoint } = await connect(program([server, folder]));
    await client.listTools();
    expect(await processesWith(folder)).toBe(1);
    await revoke(sessionId, endpoint);
    await until(async () => (await processesWith(folder)) === 0, "the process is gone");
    await expect(client.listTools()).rejects.toThrow(/session has ended|Unauthorized|401/i);
    await client.close();
  });

  it.each([
    ["an SDK of the older era", connectLegacy],
    ["an SDK of both eras", connect],
  ])("lists its tools and reads a file masked, for %s", async (_, connectWith) => {
    const { client, sessionId } = await connectWith(program([server, folder]));
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toContain("read_text_file");
    const result = await client.callTool({
      name: "read_text_file",
      arguments: { path: join(folder, "export.csv") },
    });
    expect(JSON.stringify(result.content)).toContain(maskedPan);
    expect(JSON.stringify(result)).not.toContain(pan);
    const refused = await client.callTool({ name: "read_text_file", arguments: { path: "/etc/passwd" } });
    expect(refused.isError).toBe(true);
    const outcomes = () =>
      gateway.traffic
        .filter(({ type, subject }) => type === "CallCompleted" && subject === sessionId)
        .map(({ data }) => (data as CallCompleted).outcome);
    await until(() => outcomes().includes("tool_error"), "both calls are on the log");
    expect(outcomes()).toContain("result");
    nothingLeaked();
    await client.close();
  });
});

describe("the reference server of everything", async () => {
  const modules = await installed("@modelcontextprotocol/server-everything@2026.8.31");
  const main = join(modules ?? "", "@modelcontextprotocol/server-everything/dist/index.js");
  const environment = { PASSWORD: { env: "TEST_SERVER_SECRET" } };

  it.skipIf(!modules)("sees its own environment, and cannot tell the client its secret", async () => {
    const { client } = await connectLegacy(program([main, "stdio"], environment));
    const result = JSON.stringify(await client.callTool({ name: "get-env", arguments: {} }));
    expect(result).toContain("[upstream credential removed]");
    expect(result).not.toMatch(/KAFKA|FINGERPRINT|VAULT/);
    nothingLeaked();
    await client.close();
  });

  /** Answers how many steps of progress came through. */
  const exercise = async (client: LegacyClient): Promise<number> => {
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toContain("echo");
    const echoed = await client.callTool({ name: "echo", arguments: { message: `card ${pan}` } });
    expect(JSON.stringify(echoed)).toContain(maskedPan);
    const progress: number[] = [];
    await client.callTool(
      { name: "trigger-long-running-operation", arguments: { duration: 1, steps: 4 } },
      undefined,
      { onprogress: ({ progress: step }) => progress.push(step) },
    );
    const sampled = await client.callTool({
      name: "trigger-sampling-request",
      arguments: { prompt: "hello", maxTokens: 10 },
    });
    expect(JSON.stringify(sampled)).toContain("sampled");
    nothingLeaked();
    return progress.length;
  };

  it.skipIf(!modules)("carries progress and the server's own questions over stdio", async () => {
    const { client } = await connectLegacy(program([main, "stdio"]));
    expect(await exercise(client)).toBeGreaterThanOrEqual(3);
    await client.close();
  });

  describe("over HTTP+SSE of 2024-11-05", () => {
    let server: ChildProcess;
    let url: string;
    beforeAll(async () => {
      if (!modules) return;
      const port = await freePort();
      url = `http://127.0.0.1:${port}/sse`;
      server = spawn(process.execPath, [main, "sse"], { env: { PORT: String(port) }, stdio: "ignore" });
      await until(
        () =>
          fetch(url).then(
            async (response) => (await response.body?.cancel(), response.ok),
            () => false,
          ),
        "the server listens",
      );
    });
    afterAll(() => void server?.kill("SIGKILL"));
    const upstream = (): Endpoint["upstream"] => ({
      transport: "sse",
      url,
      credential: { type: "none" },
      timeoutSeconds: 20,
      forwardHeaders: [],
    });

    it.skipIf(!modules)("looks like streamable HTTP to an SDK that knows nothing else", async () => {
      const { client } = await connectLegacy(upstream());
      expect(await exercise(client)).toBeGreaterThanOrEqual(3);
      await client.close();
    });

    it.skipIf(!modules)("is found to be of the older era by an SDK of both", async () => {
      const { client } = await connect(upstream());
      const echoed = await client.callTool({ name: "echo", arguments: { message: `card ${pan}` } });
      expect(JSON.stringify(echoed)).toContain(maskedPan);
      await client.close();
    });
  });
});

describe("database servers over a table of cards", async () => {
  const dbhub = await installed("@bytebase/dbhub@1.4.0", "pg@8.23.1");
  const reference = await installed("@modelcontextprotocol/server-postgres@0.6.2");
  const role = `reader_${randomUUID().slice(0, 8)}`;
  const database = `cards_${randomUUID().slice(0, 8)}`;

  beforeAll(async () => {
    const admin = new pg.Client(inject("adminDatabaseUrl"));
    await admin.connect();
    await admin.query(`CREATE DATABASE ${database}`);
    await admin.query(`CREATE ROLE ${role} LOGIN PASSWORD '${secret}'`);
    await admin.end();
    const dsn = new URL(inject("adminDatabaseUrl"));
    dsn.pathname = `/${database}`;
    const owner = new pg.Client(dsn.href);
    await owner.connect();
    await owner.query(`CREATE TABLE cards (id int, number text, cvv text)`);
    await owner.query(`INSERT INTO cards VALUES (1, '${pan}', '123')`);
    await owner.query(`GRANT SELECT ON cards TO ${role}`);
    await owner.end();
    [dsn.username, dsn.password] = [role, secret];
    process.env["TEST_CARDS_DSN"] = dsn.href;
  });

  const sql = "SELECT * FROM cards";

  it.skipIf(!reference)("answers a query masked, with its database's password by reference", async () => {
    const main = join(reference ?? "", "@modelcontextprotocol/server-postgres/dist/index.js");
    // This one takes its database from the command line only, so a shell puts it there.
    const upstream: StdioUpstream = {
      ...program([], { DSN: { env: "TEST_CARDS_DSN" } }),
      command: [sh, "-c", `exec "${process.execPath}" "${main}" "$DSN"`],
    };
    const { client } = await connectLegacy(upstream);
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(["query"]);
    const result = JSON.stringify(await client.callTool({ name: "query", arguments: { sql } }));
    expect(result).toContain(maskedPan);
    expect(result).not.toMatch(new RegExp(`${pan}|"123"`));
    nothingLeaked();
    await client.close();
  });

  it.skipIf(!dbhub)("answers DBHub's queries masked, of either era", async () => {
    const main = join(dbhub ?? "", "@bytebase/dbhub/dist/index.js");
    const upstream = program([main, "--transport", "stdio"], { DSN: { env: "TEST_CARDS_DSN" } });
    for (const [connectWith, era] of [
      [connect, "modern"],
      [connectLegacy, "legacy"],
    ] as const) {
      const { client, sessionId } = await connectWith(upstream);
      const { tools } = await client.listTools();
      const name = tools.find((tool) => tool.name.startsWith("execute_sql"))?.name ?? "";
      const result = JSON.stringify(await client.callTool({ name, arguments: { sql } }));
      expect(result).toContain(maskedPan);
      expect(result).not.toContain(pan);
      const calls = () =>
        gateway.traffic
          .filter(({ type, subject }) => type === "CallCompleted" && subject === sessionId)
          .map(({ data }) => data as CallCompleted)
          .filter(({ method }) => method === "tools/call");
      await expect.poll(() => calls().map((call) => call.era), { timeout: 10_000 }).toEqual([era]);
      nothingLeaked();
      await client.close();
    }
  });
});
