import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cardDataPolicy, endpoint, policyBundlePublished } from "@countersign/contracts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConfigurationRefused, configurationFingerprint, loadConfiguration } from "./index.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));
let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "countersign-configuration-"));
  path = join(folder, "countersign.yaml");
  await cp(join(root, "policies"), join(folder, "policies"), { recursive: true });
  await cp(join(root, "countersign.yaml"), path);
});
afterEach(() => rm(folder, { recursive: true }));

const edit = async (...edits: [from: string, to: string][]) => {
  let text = await readFile(path, "utf8");
  for (const [from, to] of edits) {
    expect(text).toContain(from);
    text = text.replace(from, to);
  }
  await writeFile(path, text);
};
const refusal = async (env: NodeJS.ProcessEnv = {}) => {
  const error: unknown = await loadConfiguration(path, env).catch((error: unknown) => error);
  if (!(error instanceof ConfigurationRefused)) throw new Error("was not refused", { cause: error });
  return error;
};

describe("the configuration of this repository", () => {
  it("loads, with the environment in place of its variables", async () => {
    const configuration = await loadConfiguration(join(root, "countersign.yaml"), {
      PAYMENTS_URL: "https://payments.example/mcp",
      COMPANY_IDP_ISSUER: "",
    });
    expect(configuration.identityProviders).toEqual([
      expect.objectContaining({
        id: "company",
        issuer: "http://127.0.0.1:8090",
        clientId: "countersign",
        clientSecret: { env: "COMPANY_IDP_CLIENT_SECRET" },
      }),
    ]);
    expect(configuration.bundle().endpoints).toEqual([
      endpoint.parse({
        name: "payments",
        title: "Payments",
        upstream: {
          url: "https://payments.example/mcp",
          credential: { type: "bearer", token: { env: "PAYMENTS_UPSTREAM_TOKEN" } },
          timeoutSeconds: 60,
          forwardHeaders: [],
        },
        session: {
          durationSecondsMax: 3600,
          durationSecondsDefault: 1800,
          idleSeconds: 900,
          sessionsPerPrincipalMax: 200,
        },
        approval: { expirySeconds: 600 },
        originals: { retentionSeconds: 7_776_000 },
        messageBytesMax: 4_194_304,
      }),
    ]);
  });

  it("makes a bundle that fits its contract and whose version is its content's", async () => {
    const first = (await loadConfiguration(path, {})).bundle();
    const publishedAt = "2026-11-23T10:00:00.000Z";
    expect(policyBundlePublished.data.parse({ ...first, publishedAt })).toMatchObject({
      version: first.version,
    });
    await edit(["# Who vouches for people.", "# Who vouches."]);
    expect((await loadConfiguration(path, {})).bundle()).toEqual(first);
    await edit(["idle: 15m", "idle: 14m"]);
    expect((await loadConfiguration(path, {})).bundle().version).not.toBe(first.version);
  });
});

describe("what a justification must contain", () => {
  const idle = "      idle: 15m";
  const withLines = (...lines: string[]) => edit([idle, [...lines, idle].join("\n")]);

  it("may be explained in words, which are nothing without it", async () => {
    await withLines(`      justification: 'INC-\\d+'`, "      justificationHint: Name the incident.");
    const [endpoint] = (await loadConfiguration(path, {})).bundle().endpoints;
    expect(endpoint?.session).toMatchObject({
      justificationPattern: "INC-\\d+",
      justificationHint: "Name the incident.",
    });
  });

  it.each([
    ["words without a pattern", ["      justificationHint: Name the incident."], "justificationHint"],
    ["no words", ["      justification: INC", '      justificationHint: " "'], "justificationHint"],
    ["no regular expression", ["      justification: '('"], "justification"],
  ])("is refused as %s", async (_, lines, key) => {
    await withLines(...lines);
    expect((await refusal()).problems).toContainEqual(
      expect.objectContaining({ path: `endpoints[0].session.${key}` }),
    );
  });
});

describe("the card-data policy of a configuration", () => {
  it("is that of all endpoints, with what each of them adds under its name", async () => {
    const own = "cardData: { panKeys: [konto], strictness: strict, requests: mask, opaque: refuse }";
    await edit(
      ["messageLimit: 4MiB", `${own}\n    messageLimit: 4MiB`],
      ["\n  panKeys: []", "\n  panKeys: [kartennummer]"],
    );
    const { cardData, bundle } = await loadConfiguration(path, {});
    expect(cardDataPolicy.parse({ ...cardData, version: "1" })).toMatchObject({
      panKeys: ["kartennummer"],
      strictness: "normal",
      requests: "forward",
      opaque: "pass",
      endpoints: {
        payments: { panKeys: ["konto"], strictness: "strict", requests: "mask", opaque: "refuse" },
      },
    });
    expect(JSON.stringify(bundle())).not.toContain("konto");
  });

  it("says what is wrong at an endpoint, where it is and what to do, with everything else", async () => {
    const own =
      "cardData: { contextWords: [x], allow: [{ pattern: '####', reason: '', expires: soon }], pan: [a] }";
    await edit(["messageLimit: 4MiB", `${own}\n    messageLimit: 4GB`]);
    const { problems } = await refusal();
    expect(problems.map(({ path }) => path).toSorted()).toEqual([
      "endpoints[0].cardData.allow[0].expires",
      "endpoints[0].cardData.allow[0].pattern",
      "endpoints[0].cardData.allow[0].reason",
      "endpoints[0].cardData.contextWords[0]",
      "endpoints[0].cardData.pan",
      "endpoints[0].messageLimit",
    ]);
    expect(problems.find(({ path }) => path.endsWith("pattern"))).toMatchObject({
      file: "countersign.yaml",
      line: expect.any(Number),
      fix: expect.stringContaining("Write # for each digit"),
    });
  });
});

describe("the fingerprint of a configuration", () => {
  it("changes with the file and with each policy, even to something wrong, and with nothing else", async () => {
    const seen = [await configurationFingerprint(path)];
    const change = async (step: () => Promise<void>) => {
      await step();
      const fingerprint = await configurationFingerprint(path);
      expect(seen).not.toContain(fingerprint);
      seen.push(fingerprint);
    };
    await writeFile(join(folder, "policies", "notes.txt"), "x");
    expect(await configurationFingerprint(path)).toBe(seen[0]);
    await change(() => writeFile(join(folder, "policies", "payments.cedar"), "permit("));
    await change(() => edit(["idle: 15m", "idle: 14m"]));
    await change(() => writeFile(path, "a: ["));
    await change(() => rm(path));
  });
});

describe("a configuration with mistakes", () => {
  it("is refused with all of them at once, each with its line and a fix", async () => {
    await edit(
      ["title: Company account", "titel: Company account"],
      ["idle: 15m", "idle: 15 minutes"],
      ["- name: payments", "- name: Payments"],
      ["messageLimit: 4MiB", "messageLimit: 4GB"],
      ["${PAYMENTS_URL:-http://127.0.0.1:8091/mcp}", "${PAYMENTS_URL}"],
      ["forwardHeaders: []", "forwardHeaders: [x-request-id, Authorization]"],
    );
    await writeFile(join(folder, "policies", "more.cedar"), "permit(principal, action, resource);\npermit(");
    const { problems, code } = await refusal();
    expect(code).toBe("configuration_refused");
    const lines = (await readFile(path, "utf8")).split("\n");
    const at = (path: string) => {
      const problem = problems.find((problem) => problem.path === path);
      return { ...problem, text: lines[(problem?.line ?? 0) - 1]?.trim() };
    };
    expect(at("identityProviders[0].titel")).toMatchObject({
      text: "titel: Company account",
      message: "is not a known key",
      fix: "Did you mean `title`?",
    });
    expect(at("endpoints[0].session.idle").text).toMatch(/^idle: 15 minutes/);
    expect(at("endpoints[0].name").text).toBe("- name: Payments");
    expect(at("endpoints[0].messageLimit").text).toMatch(/^messageLimit/);
    expect(at("endpoints[0].upstream.url")).toMatchObject({
      message: "the environment variable PAYMENTS_URL is not set",
      fix: "Set PAYMENTS_URL, or give it a default: ${PAYMENTS_URL:-value}.",
    });
    expect(at("endpoints[0].upstream.forwardHeaders[1]").message).toBe(
      "is a header that must not travel upstream",
    );
    expect(problems).toContainEqual(expect.objectContaining({ file: "policies/more.cedar", line: 2 }));
  });

  it("never has a secret repeated that was pasted in the wrong place", async () => {
    const secret = "hunter2-hunter2";
    await edit([
      "clientSecret: { env: COMPANY_IDP_CLIENT_SECRET }",
      `clientSecret: ${secret}\n    issuer2: https://u:${secret}@idp`,
    ]);
    expect(JSON.stringify(await refusal())).not.toContain(secret);
    expect((await refusal()).message).not.toContain(secret);
    expect((await refusal()).message).toContain("Write { env: NAME } or { file: PATH }.");
    await writeFile(path, `clientSecret: "${secret}" "${secret}"\n\t- x`);
    expect((await refusal()).message).not.toContain(secret);
  });

  it.each([
    [
      "a session that starts longer than it may be",
      "default: 30m",
      "default: 2h",
      "endpoints[0].session.default",
    ],
    ["an idle limit beyond PCI DSS 8.2.8", "idle: 15m", "idle: 16m", "endpoints[0].session.idle"],
    ["a session without end", "maximum: 1h", "maximum: 0s", "endpoints[0].session.maximum"],
    [
      "an upstream with a password in it",
      "${PAYMENTS_URL:-http://127.0.0.1:8091/mcp}",
      "http://a:b@c/mcp",
      "endpoints[0].upstream.url",
    ],
    [
      "an upstream that is a file",
      "${PAYMENTS_URL:-http://127.0.0.1:8091/mcp}",
      "file:///etc/passwd",
      "endpoints[0].upstream.url",
    ],
    [
      "a credential of an unknown kind",
      "type: bearer, token",
      "type: barer, token",
      "endpoints[0].upstream.credential.type",
    ],
    ...[
      ["a shape of bare digits", "pattern: '################'", "allow[0].pattern"],
      ["a shape with two runs of digits", "pattern: ORD-####-########", "allow[0].pattern"],
      ["a regular expression", String.raw`pattern: '^ORD-\d{16}'`, "allow[0].pattern"],
    ].map(([what = "", pattern = "", at = ""]) => [
      `an exception that is ${what}`,
      "allow: []",
      `allow: [{ ${pattern}, reason: x, expires: 2027-01-01 }]`,
      `cardData.${at}`,
    ]),
    [
      "an exception without an end",
      "allow: []",
      "allow: [{ pattern: ORD-#, reason: x }]",
      "cardData.allow[0].expires",
    ],
    [
      "a word that stands beside everything",
      "contextWords: []",
      'contextWords: [" "]',
      "cardData.contextWords[0]",
    ],
    ["a key without letters", "panKeys: []", "panKeys: ['--']", "cardData.panKeys[0]"],
    [
      "card data that an endpoint handles in an unknown way",
      "messageLimit: 4MiB",
      "cardData: { requests: drop }\n    messageLimit: 4MiB",
      "endpoints[0].cardData.requests",
    ],
  ])("is refused for %s", async (_, from, to, at) => {
    await edit([from, to]);
    expect((await refusal()).problems.map(({ path }) => path)).toContain(at);
  });

  it("is refused for an endpoint that is there twice", async () => {
    await edit([
      "endpoints:\n",
      "endpoints:\n  - name: payments\n    upstream: { url: http://127.0.0.1/mcp }\n",
    ]);
    expect((await refusal()).problems).toEqual([
      expect.objectContaining({ path: "endpoints[1].name", message: "is there twice" }),
    ]);
  });

  it("is refused for a policy about an endpoint that it does not have", async () => {
    await edit(["- name: payments", "- name: paiements"]);
    const { problems } = await refusal();
    expect(problems).toContainEqual(
      expect.objectContaining({ file: "policies/payments.cedar", fix: 'Write "paiements".' }),
    );
  });

  it.each([
    ["a file that is missing", async () => rm(path)],
    ["a file that is empty", async () => writeFile(path, "")],
    ["a folder of policies that is missing", async () => rm(join(folder, "policies"), { recursive: true })],
    ["a schema that is missing", async () => rm(join(folder, "policies", "schema.cedarschema"))],
    ["an alias bomb", async () => writeFile(path, bomb)],
    ["a key that is there twice", async () => writeFile(path, "policies: a\npolicies: b\n")],
  ])("is refused for %s", async (_, spoil) => {
    await spoil();
    expect((await refusal()).problems.length).toBeGreaterThan(0);
  });
});

const bomb = ["a: &a [x, x, x, x, x, x, x, x, x]"]
  .concat(["b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]", "c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]"])
  .concat(["d: [*c, *c, *c, *c, *c, *c, *c, *c, *c]"])
  .join("\n");
