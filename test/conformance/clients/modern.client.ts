import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

type Scenario = (client: Client) => Promise<void>;

const call = (client: Client, name: string, given: Record<string, unknown> = {}) =>
  client.callTool({ name, arguments: given });

const listTools: Scenario = async (client) => void (await client.listTools());

/** The calls that the suite asks for. */
const askedFor = (): { name: string; arguments: Record<string, unknown> }[] => {
  const context = JSON.parse(process.env["MCP_CONFORMANCE_CONTEXT"] ?? "{}") as { toolCalls?: [] };
  return context.toolCalls ?? [];
};

/** Scenarios whose server answers `server/discover`. */
const discoverable: Record<string, Scenario> = {
  "request-metadata": () => Promise.resolve(),
  "json-schema-ref-no-deref": listTools,
  async tools_call(client) {
    await client.listTools();
    await call(client, "add_numbers", { a: 5, b: 3 });
  },
  async "json-schema-2020-12-preservation"(client) {
    const { tools } = await client.listTools();
    const schema = tools.find(({ name }) => name === "json_schema_2020_12_tool")?.inputSchema;
    await call(client, "json_schema_echo", { schema });
  },
};

/** Scenarios whose server does not, so that the client is told beforehand what it would have said. */
const undiscoverable: Record<string, Scenario> = {
  async "http-standard-headers"(client) {
    const { tools } = await client.listTools();
    for (const { name } of tools) await call(client, name);
    const { resources } = await client.listResources();
    for (const { uri } of resources) await client.readResource({ uri });
    const { prompts } = await client.listPrompts();
    for (const { name } of prompts) await client.getPrompt({ name, arguments: {} });
  },
  async "http-custom-headers"(client) {
    await client.listTools();
    for (const { name, arguments: given } of askedFor()) await call(client, name, given);
  },
  async "http-invalid-tool-headers"(client) {
    const { tools } = await client.listTools();
    for (const { name } of tools) await call(client, name, { region: "us-west1" }).catch(() => undefined);
  },
  async "sep-2322-client-request-state"(client) {
    for (const name of ["test_mrtr_echo_state", "test_mrtr_no_state", "test_mrtr_unrelated"]) {
      await call(client, name);
    }
    // The client refuses an answer without a result type; the scenario watches that it does not ask again.
    await call(client, "test_mrtr_no_result_type").catch(() => undefined);
  },
};

/** Does what a scenario of revision 2026-07-28 asks of a client. */
export async function runModernScenario(scenario: string, url: URL): Promise<void> {
  const run = discoverable[scenario] ?? undiscoverable[scenario];
  if (!run) throw new Error(`no client for the scenario ${scenario}`);
  const client = new Client(
    { name: "conformance-client", version: "1.0.0" },
    {
      capabilities: { elicitation: {}, sampling: {}, roots: { listChanged: true } },
      versionNegotiation: { mode: "auto" },
    },
  );
  client.setRequestHandler("elicitation/create", () => ({ action: "accept", content: { confirmed: true } }));
  const options = scenario in undiscoverable ? { fetch: discoverLocally } : {};
  await client.connect(new StreamableHTTPClientTransport(url, options));
  await run(client);
  await client.close();
}

const discoverLocally: typeof fetch = (input, init) => {
  const message = JSON.parse(typeof init?.body === "string" ? init.body : "{}") as {
    method?: string;
    id?: number;
  };
  if (message.method !== "server/discover") return fetch(input, init);
  const result = {
    resultType: "complete",
    supportedVersions: ["2026-07-28"],
    capabilities: { tools: {}, resources: {}, prompts: {} },
    ttlMs: 0,
    cacheScope: "private",
  };
  return Promise.resolve(Response.json({ jsonrpc: "2.0", id: message.id, result }));
};
