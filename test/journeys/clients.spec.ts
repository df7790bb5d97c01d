import { execFile, execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { callTool, connectAs } from "@countersign/local";
import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernTransport,
} from "@modelcontextprotocol/client";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestSuite } from "./suite.fixture.js";

/** Clients from npm, pinned, in a scratch folder: they are tried, not depended on. */
const packages = {
  "mcp-remote": "0.15.1",
  "@modelcontextprotocol/inspector": "2.12.0",
  "@openai/codex": "0.169.0",
  "@anthropic-ai/claude-code": "2.1.330",
};
const scratch = join(tmpdir(), "countersign-clients");
const masked = "411111******1111";
const card = "4111111111111111";

/** Installs one client; answers why it cannot be had, if so. */
function install(name: keyof typeof packages): string | undefined {
  if (existsSync(join(scratch, "node_modules", name))) return undefined;
  mkdirSync(scratch, { recursive: true });
  if (!existsSync(join(scratch, "package.json")))
    writeFileSync(join(scratch, "package.json"), `{"private":true}`);
  try {
    const args = ["install", "--no-audit", "--no-fund", "--silent", `${name}@${packages[name]}`];
    execFileSync("npm", args, { cwd: scratch, stdio: "pipe", timeout: 240_000 });
    return undefined;
  } catch {
    return `${name} cannot be installed here`;
  }
}

describe("clients that know nothing but the URL", () => {
  let suite: Awaited<ReturnType<typeof startTestSuite>>;
  let env: Record<string, string>;
  let endpoint: string;
  const home = mkdtempSync(join(tmpdir(), "countersign-client-home-"));

  beforeAll(async () => {
    // Metadata documents live on the internet, which the tests do without; clients then register themselves.
    suite = await startTestSuite({ CLIENT_METADATA_DOCUMENTS: "off" });
    endpoint = `${suite.urls.proxy}/mcp/payments`;
    const browser = join(home, "browser.sh");
    const script = new URL("../fixtures/browser.ts", import.meta.url).pathname;
    writeFileSync(browser, `#!/bin/sh\nexec "${process.execPath}" "${script}" "$@"\n`);
    chmodSync(browser, 0o755);
    env = {
      ...(process.env as Record<string, string>),
      HOME: home,
      BROWSER: browser,
      CODEX_HOME: join(home, "codex"),
      // Lets Inspector open a browser although no terminal is there.
      MCP_AUTO_OPEN_ENABLED: "true",
    };
    mkdirSync(join(home, "codex"));
  });
  afterAll(() => suite?.forget());

  const bin = (name: string): string => join(scratch, "node_modules/.bin", name);
  const run = (
    command: string,
    args: string[],
    timeout = 90_000,
  ): Promise<{ exitCode: number; output: string }> =>
    new Promise((resolve) => {
      const child = execFile(command, args, { env, cwd: home, timeout }, (error, stdout, stderr) =>
        resolve({ exitCode: error ? Number(error.code ?? 1) : 0, output: stdout + stderr }),
      );
      child.stdin?.end();
    });

  it("SDK 1.x", async () => {
    const engineer = await connectAs("engineer", endpoint, "OPS-9: tries a client");
    const { text } = await callTool(engineer, "query_customers", { search: "cus_1001" });
    await engineer.close();
    expect(text).toContain(masked);
    expect(text).not.toContain(card);
  });

  it("SDK 2.x", async () => {
    const { token, close } = await connectAs("engineer", endpoint, "OPS-9: tries a client");
    await close();
    const client = new ModernClient({ name: "test", version: "1.0.0" });
    const headers = { authorization: `Bearer ${token}` };
    await client.connect(new ModernTransport(new URL(endpoint), { requestInit: { headers } }));
    const result = await client.callTool({ name: "query_customers", arguments: { search: "cus_1001" } });
    await client.close();
    expect(JSON.stringify(result)).toContain(masked);
    expect(JSON.stringify(result)).not.toContain(card);
  });

  it("mcp-remote", async ({ skip }) => {
    const missing = install("mcp-remote");
    if (missing) skip(missing);
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [bin("mcp-remote"), endpoint, "--allow-http", "--transport", "http-only"],
      env,
      stderr: "ignore",
    });
    const client = new Client({ name: "test", version: "1.0.0" });
    await client.connect(transport);
    const result = await client.callTool({ name: "query_customers", arguments: { search: "cus_1001" } });
    await client.close();
    expect(JSON.stringify(result)).toContain(masked);
    expect(JSON.stringify(result)).not.toContain(card);
  });

  it("MCP Inspector's command line", async ({ skip }) => {
    const missing = install("@modelcontextprotocol/inspector");
    if (missing) skip(missing);
    const target = ["--cli", "--transport", "http", "--server-url", endpoint];
    const call = [
      "--method",
      "tools/call",
      "--tool-name",
      "query_customers",
      "--tool-arg",
      "search=cus_1001",
    ];
    const { output } = await run(process.execPath, [bin("mcp-inspector"), ...target, ...call]);
    expect(output).toContain(masked);
    expect(output).not.toContain(card);
  });

  it("Codex logs in and lists the server as authenticated", async ({ skip }) => {
    const missing = install("@openai/codex");
    if (missing) skip(missing);
    const added = await run(bin("codex"), ["mcp", "add", "payments", "--url", endpoint]);
    expect(added.output).toMatch(/payments/);
    await run(bin("codex"), ["mcp", "login", "payments"]);
    const { output } = await run(bin("codex"), ["mcp", "list"]);
    expect(output).toMatch(/payments.*OAuth/s);
  });

  it("Claude Code logs in and connects", async ({ skip }) => {
    const missing = install("@anthropic-ai/claude-code");
    if (missing) skip(missing);
    await run(bin("claude"), ["mcp", "add", "--transport", "http", "payments", endpoint]);
    await run("script", ["-qec", `"${bin("claude")}" mcp login payments`, "/dev/null"]);
    const { output } = await run(bin("claude"), ["mcp", "list"]);
    expect(output).toMatch(/payments.*(✓|✔|Connected)/s);
  });
});
