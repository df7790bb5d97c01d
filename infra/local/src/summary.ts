import { relative } from "node:path";
import { accounts } from "@countersign/dev-idp";
import pc from "picocolors";
import type { Suite } from "./suite.js";

/** What somebody needs to know who has just started the suite. */
export function summaryOf({ urls, dataDir }: Suite): string {
  const endpoint = `${urls.proxy}/mcp/payments`;
  const command = (text: string) => `  ${pc.cyan(text)}`;
  return [
    "",
    pc.bold("Countersign is up."),
    "",
    `${pc.bold("The payments MCP server, guarded:")} ${endpoint}`,
    "",
    "Connect a client; it opens your browser for the login and the justification:",
    command(`claude mcp add --transport http payments ${endpoint}`),
    command(`codex mcp add payments --url ${endpoint}`),
    command(`npx @modelcontextprotocol/inspector --transport http --server-url ${endpoint}`),
    "",
    "Accounts of the made-up company (there are no passwords):",
    ...accounts.map(({ sub, groups }) => `  ${pc.bold(sub.padEnd(9))} ${groups.join(", ")}`),
    "",
    "Services:",
    ...Object.entries(urls).map(([name, url]) => `  ${name.padEnd(15)} ${url}`),
    "",
    pc.dim(
      `Logs are in ${relative(process.cwd(), dataDir) || dataDir}/logs. Ctrl-C stops everything; npm run reset forgets it.`,
    ),
  ].join("\n");
}
