import { readFile } from "node:fs/promises";
import { endpoint } from "@countersign/contracts";
import { describe, expect, it } from "vitest";
import { shapeProblems } from "./shape-problems.js";
import { upstream } from "./upstream.schema.js";
import { parseYaml } from "./yaml-file.js";

const schema = upstream({ CARD_DATA: "/srv/cards" });
const problemsOf = (value: unknown) => {
  const parsed = schema.safeParse(value);
  return parsed.success ? [] : shapeProblems(parsed.error.issues, schema);
};
const url = "https://mcp.example/mcp";
const oauth = { type: "oauth", tokenUrl: "https://idp.example/token", clientId: "gateway" };

describe("an upstream", () => {
  it.each([
    ["of an unknown transport", { transport: "websocket", url }],
    ["with both a URL and a program", { transport: "stdio", command: ["server"], url }],
    ["with a program that nobody says is one", { command: ["server"] }],
    ["without a program", { transport: "stdio", command: [] }],
    ["with a shell line for a program", { transport: "stdio", command: "server --now" }],
    ["with a secret in its environment", { transport: "stdio", command: ["s"], environment: { KEY: "abc" } }],
    [
      "with a variable that is none",
      { transport: "stdio", command: ["s"], environment: { "A=B": { value: "x" } } },
    ],
    ["with a relative folder", { transport: "stdio", command: ["s"], workingDirectory: "cards" }],
    ["with programs without bound", { transport: "stdio", command: ["s"], processes: 100_000 }],
    ["with a secret of OAuth in plain", { url, credential: { ...oauth, clientSecret: "abc" } }],
    [
      "with a token URL that holds a password",
      {
        url,
        credential: { ...oauth, tokenUrl: "https://a:b@idp.example/token", clientSecret: { env: "S" } },
      },
    ],
    [
      "with a way out of its Vault mount",
      {
        url,
        credential: { type: "bearer", token: { vault: { path: "secret/../sys", field: "x" } } },
      },
    ],
  ])("is refused %s", (_, value) => {
    const problems = problemsOf(value);
    expect(problems.length).toBeGreaterThan(0);
    expect(JSON.stringify(problems)).not.toContain("abc");
  });

  it("is told which key does not go with its transport", () => {
    expect(problemsOf({ transport: "stdio", command: ["server"], url })).toEqual([
      expect.objectContaining({ path: "url", fix: "Remove it; it belongs to another kind." }),
    ]);
  });

  it("may be a program, with its secrets by reference and everything bounded", () => {
    const value = schema.parse({
      transport: "stdio",
      command: ["mcp-server-filesystem", "${CARD_DATA}"],
      environment: {
        DSN: { vault: { path: "secret/cards", field: "dsn" } },
        TOKEN: { env: "TOKEN" },
        KEY: { file: "/run/secrets/key" },
        READONLY: { value: "true" },
      },
    });
    expect(value).toMatchObject({
      command: ["mcp-server-filesystem", "/srv/cards"],
      processes: 32,
      idle: 900,
    });
  });

  it.each([
    ["streamable HTTP", { url }],
    ["streamable HTTP by name", { transport: "streamable-http", url }],
    ["HTTP+SSE", { transport: "sse", url }],
    ["client credentials", { url, credential: { ...oauth, clientSecret: { file: "/run/secrets/s" } } }],
  ])("may speak %s", (_, value) => {
    expect(problemsOf(value)).toEqual([]);
  });

  it("of a bundle that was published before transports had names is one of streamable HTTP", () => {
    const published = { url, credential: { type: "none" }, timeoutSeconds: 60, forwardHeaders: [] };
    expect(endpoint.shape.upstream.parse(published)).toEqual(published);
  });

  it("is what the documentation shows", async () => {
    const text = await readFile(new URL("../../../docs/upstreams.md", import.meta.url), "utf8");
    const examples = [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, yaml = ""]) =>
      parseYaml("docs", yaml),
    );
    expect(examples).toHaveLength(4);
    for (const example of examples) {
      expect(problemsOf(Array.isArray(example) ? example : example.value)).toEqual([]);
    }
  });

  it("is what the commented example of the configuration shows", async () => {
    const text = await readFile(new URL("../../../countersign.yaml", import.meta.url), "utf8");
    const lines = text.split("\n");
    const first = lines.findIndex((line) => line.startsWith("  # - name: exports"));
    const example = lines.slice(first, first + 5).map((line) => line.slice(4));
    const yaml = parseYaml("countersign.yaml", example.join("\n"));
    expect(Array.isArray(yaml) ? yaml : yaml.value).toEqual([
      { name: "exports", upstream: expect.objectContaining({ transport: "stdio" }) as unknown },
    ]);
    const [{ upstream: shown }] = (Array.isArray(yaml) ? [] : yaml.value) as [{ upstream: unknown }];
    expect(problemsOf(shown)).toEqual([]);
  });
});
