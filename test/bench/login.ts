import { mkdtempSync, rmSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import {
  callTool,
  connectAs,
  freePorts,
  portNames,
  portsOf,
  startSuite,
  type Suite,
} from "@countersign/local";

/**
 * How long it takes from a client that knows nothing but an endpoint's URL to its first tool result: discovery,
 * registration, login at the development identity provider, the session, the token, MCP's handshake, one call. Compared
 * with a client that calls the same server directly, with no login at all: `node test/bench/login.ts [runs]`.
 */
const runs = Number(process.argv[2] ?? 100);
const lookUp = { transaction_id: "txn_2001" };

async function throughGateway({ urls }: Suite): Promise<void> {
  const connected = await connectAs("engineer", `${urls.proxy}/mcp/payments`, "INC-1: bench");
  const { failed, text } = await callTool(connected, "get_transaction", lookUp);
  if (failed) throw new Error(`the call failed: ${text}`);
  await connected.close();
}

async function directly({ urls }: Suite, token: string): Promise<void> {
  const client = new Client({ name: "bench", version: "1.0.0" });
  const headers = { authorization: `Bearer ${token}` };
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${urls.payments}/mcp`), { requestInit: { headers } }),
  );
  await client.callTool({ name: "get_transaction", arguments: lookUp });
  await client.close();
}

async function measure(act: () => Promise<void>): Promise<{ p50: number; p99: number }> {
  const warmUps = 5;
  const times: number[] = [];
  for (let run = -warmUps; run < runs; run += 1) {
    const began = performance.now();
    await act();
    if (run >= 0) times.push(performance.now() - began);
  }
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0;
  return { p50: at(0.5), p99: at(0.99) };
}

const dataDir = mkdtempSync(join(tmpdir(), "countersign-bench-"));
// PostgreSQL runs as a user of its own, who has to be able to pass.
await chmod(dataDir, 0o755);
const { KAFKA_BROKERS: _k, DATABASE_URL: _d, ...inherited } = process.env;
const suite = await startSuite({
  dataDir,
  ports: portsOf(await freePorts(portNames.length)),
  services: ["identity", "session-broker", "masking", "proxy"],
  env: { ...inherited, REGISTRATIONS_PER_HOUR: "100000", REQUESTS_PER_MINUTE: "1000000" },
});
try {
  const { readFile } = await import("node:fs/promises");
  const token = (await readFile(join(dataDir, "secrets", "payments-upstream-token"), "utf8")).trim();
  const direct = await measure(() => directly(suite, token));
  const gateway = await measure(() => throughGateway(suite));
  const line = (name: string, { p50, p99 }: { p50: number; p99: number }): string =>
    `${name.padEnd(42)} p50 ${p50.toFixed(0).padStart(5)} ms   p99 ${p99.toFixed(0).padStart(5)} ms\n`;
  const [cpu] = cpus();
  process.stdout.write(
    `${runs} runs each on ${cpus().length} x ${cpu?.model.trim() ?? "?"}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}\n` +
      line("handshake and first result, direct", direct) +
      line("login to first result, through the gateway", gateway) +
      `ratio of the medians ${(gateway.p50 / direct.p50).toFixed(1)}\n`,
  );
} finally {
  await suite.stop();
  rmSync(dataDir, { recursive: true, force: true });
}
