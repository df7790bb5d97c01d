import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectAs, freePorts, portNames, portsOf, startSuite, type Suite } from "@countersign/local";
import { startProgram, stopProgram } from "./processes.ts";

/** Something that stands before the fixture server, running. */
export interface Running {
  readonly url: string;
  readonly headers: Record<string, string>;
  /** Whose CPU and memory count; the fixture server's and Kafka's do not. */
  readonly pids: readonly number[];
  /** All of Countersign, where it is what runs. */
  readonly suite?: Suite;
  stop(): Promise<void> | void;
}

export interface Contestant {
  readonly name: string;
  readonly start: (upstream: string) => Promise<Running>;
}

const here = import.meta.dirname;
const node = process.execPath;
const isReady = (output: string): boolean => output.includes("ready");
const answers = (url: string) => async (): Promise<boolean> =>
  fetch(url, { signal: AbortSignal.timeout(500) }).then(
    () => true,
    () => false,
  );

export async function startFixture(): Promise<{ url: string; stop: () => void }> {
  const [port = 0] = await freePorts(1);
  const child = await startProgram(node, [join(here, "fixture-server.ts"), String(port)], isReady);
  return { url: `http://127.0.0.1:${port}/mcp`, stop: () => stopProgram(child) };
}

const direct: Contestant = {
  name: "direct",
  start: (url) => Promise.resolve({ url, headers: {}, pids: [], stop: () => undefined }),
};

const bareProxy: Contestant = {
  name: "bare proxy",
  start: async (upstream) => {
    const [port = 0] = await freePorts(1);
    const child = await startProgram(node, [join(here, "bare-proxy.ts"), String(port), upstream], isReady);
    return {
      url: `http://127.0.0.1:${port}/mcp`,
      headers: {},
      pids: [child.pid ?? 0],
      stop: () => stopProgram(child),
    };
  },
};

/** Everything on: identity, session, policy, masking, recording on Kafka, audit, SIEM. */
export const countersign: Contestant = {
  name: "Countersign",
  start: async (upstream) => {
    const folder = join(tmpdir(), `countersign-bench-${process.pid}`);
    mkdirSync(join(folder, "policies"), { recursive: true, mode: 0o755 });
    writeFileSync(join(folder, "policies/bench.cedar"), benchPolicy);
    writeFileSync(join(folder, "policies/schema.cedarschema"), await schema());
    writeFileSync(join(folder, "countersign.yaml"), benchConfig(upstream));
    const suite = await startSuite({
      dataDir: join(folder, "data"),
      ports: portsOf(await freePorts(portNames.length)),
      configFile: join(folder, "countersign.yaml"),
      onProgress: (line) => process.stderr.write(`  ${line}\n`),
    });
    const url = `${suite.urls.proxy}/mcp/bench`;
    const client = await connectAs("engineer", url, "OPS-1: measures the gateway");
    await client.close();
    return {
      url,
      headers: { authorization: `Bearer ${client.token}` },
      pids: [suite.service("proxy").pid],
      suite,
      stop: () => suite.stop(),
    };
  },
};

const schema = async (): Promise<string> => {
  const { readFile } = await import("node:fs/promises");
  return readFile(join(here, "../../policies/schema.cedarschema"), "utf8");
};

const benchPolicy = `
permit (principal in Group::"payments-engineers", action in [Action::"openSession", Action::"openSessionUnattended"], resource == Endpoint::"bench");
permit (principal in Group::"payments-engineers", action in [Action::"call", Action::"callUnattended"], resource in Endpoint::"bench");
`;

const benchConfig = (upstream: string): string => `
identityProviders:
  - id: company
    title: Company account
    type: oidc
    issuer: \${COMPANY_IDP_ISSUER}
    clientId: countersign
    clientSecret: { env: COMPANY_IDP_CLIENT_SECRET }
    scopes: [openid, profile, email, groups]
    groupsClaim: groups
endpoints:
  - name: bench
    title: Bench
    upstream: { url: "${upstream}", credential: { type: none }, timeout: 60s }
    session: { maximum: 1h, default: 1h, idle: 15m }
    approval: { expiresAfter: 10m }
    messageLimit: 4MiB
policies: ./policies
cardData: {}
`;

/** Other gateways, from npm, pinned, in a scratch folder: they are measured, not depended on. */
const packages = { "mcp-proxy": "6.7.19", supergateway: "4.0.0", "@fiberplane/mcp-gateway": "0.7.1" };
const scratch = join(tmpdir(), "countersign-bench-packages");

export function installOthers(): void {
  const names = Object.entries(packages);
  if (names.every(([name]) => existsSync(join(scratch, "node_modules", name)))) return;
  mkdirSync(scratch, { recursive: true });
  writeFileSync(join(scratch, "package.json"), `{"private":true}`);
  const specs = names.map(([name, version]) => `${name}@${version}`);
  execFileSync("npm", ["install", "--no-audit", "--no-fund", "--silent", ...specs], {
    cwd: scratch,
    stdio: "inherit",
  });
}

const stdioServer = [node, join(here, "stdio-server.ts")];

const mcpProxy: Contestant = {
  name: "mcp-proxy",
  start: async () => {
    const [port = 0] = await freePorts(1);
    const url = `http://127.0.0.1:${port}/mcp`;
    const bin = join(scratch, "node_modules/mcp-proxy/dist/bin/mcp-proxy.mjs");
    const args = [
      bin,
      "--host",
      "127.0.0.1",
      "--port",
      String(port),
      "--server",
      "stream",
      "--",
      ...stdioServer,
    ];
    const child = await startProgram(node, args, answers(url));
    return { url, headers: {}, pids: [child.pid ?? 0], stop: () => stopProgram(child) };
  },
};

const supergateway: Contestant = {
  name: "supergateway",
  start: async () => {
    const [port = 0] = await freePorts(1);
    const url = `http://127.0.0.1:${port}/mcp`;
    const bin = join(scratch, "node_modules/supergateway/dist/index.js");
    const args = [
      bin,
      "--stdio",
      stdioServer.join(" "),
      "--outputTransport",
      "streamableHttp",
      "--stateful",
      "--port",
      String(port),
      "--logLevel",
      "none",
    ];
    const child = await startProgram(node, args, answers(url));
    return { url, headers: {}, pids: [child.pid ?? 0], stop: () => stopProgram(child) };
  },
};

const mcpGateway: Contestant = {
  name: "@fiberplane/mcp-gateway",
  start: async (upstream) => {
    const [port = 0] = await freePorts(1);
    const folder = join(tmpdir(), `countersign-bench-gateway-${process.pid}`);
    mkdirSync(folder, { recursive: true });
    const server = {
      name: "bench",
      url: upstream,
      type: "http",
      headers: {},
      lastActivity: null,
      exchangeCount: 0,
    };
    writeFileSync(
      join(folder, "mcp.json"),
      JSON.stringify({ servers: [server], mcpServers: { bench: { url: upstream, type: "http" } } }),
    );
    const bin = join(scratch, "node_modules/@fiberplane/mcp-gateway/bin/mcp-gateway.js");
    const child = await startProgram(
      node,
      [bin, "--storage-dir", folder, "--port", String(port)],
      answers(`http://127.0.0.1:${port}/`),
      { ...process.env, MCP_GATEWAY_TOKEN: "bench" },
    );
    return {
      url: `http://127.0.0.1:${port}/s/bench/mcp`,
      headers: { authorization: "Bearer bench" },
      pids: [child.pid ?? 0],
      stop: () => stopProgram(child),
    };
  },
};

export const contestants: readonly Contestant[] = [
  direct,
  bareProxy,
  countersign,
  mcpProxy,
  supergateway,
  mcpGateway,
];
