import { runLegacyScenario } from "./legacy.client.ts";
import { runModernScenario } from "./modern.client.ts";

/** `client.ts <version> direct|<control URL> <server URL>`: plays the client of the scenario that the suite names. */
const [version = "", through = "", serverUrl = ""] = process.argv.slice(2);
const scenario = process.env["MCP_CONFORMANCE_SCENARIO"] ?? "";

const url =
  through === "direct"
    ? serverUrl
    : await (await fetch(`${through}?upstream=${encodeURIComponent(serverUrl)}`)).text();

if (version === "2026-07-28") await runModernScenario(scenario, new URL(url));
else await runLegacyScenario(scenario, new URL(url));
process.exit(0);
