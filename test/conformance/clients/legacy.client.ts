import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";

/** Does what a scenario of the era of sessions asks of a client. */
export async function runLegacyScenario(scenario: string, url: URL): Promise<void> {
  const client = new Client(
    { name: "conformance-client", version: "1.0.0" },
    { capabilities: { elicitation: { form: { applyDefaults: true } } } },
  );
  client.setRequestHandler(ElicitRequestSchema, () => ({ action: "accept", content: {} }));
  await client.connect(new StreamableHTTPClientTransport(url));
  const { tools } = await client.listTools();
  switch (scenario) {
    case "initialize":
      break;
    case "tools_call":
      await client.callTool({ name: "add_numbers", arguments: { a: 5, b: 3 } });
      break;
    case "elicitation-sep1034-client-defaults":
      await client.callTool({ name: "test_client_elicitation_defaults", arguments: {} });
      break;
    case "sse-retry":
      await client.callTool({ name: "test_reconnection", arguments: {} });
      break;
    case "json-schema-2020-12-preservation": {
      const schema = tools.find(({ name }) => name === "json_schema_2020_12_tool")?.inputSchema;
      await client.callTool({ name: "json_schema_echo", arguments: { schema } });
      break;
    }
    default:
      throw new Error(`no client for the scenario ${scenario}`);
  }
  await client.close();
}
