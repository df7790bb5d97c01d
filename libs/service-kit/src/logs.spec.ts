import { CountersignError } from "@countersign/contracts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createLogger, type Logger, NestLogs } from "./logs.js";

const canaries = [
  "4111111111111111",
  "4111 1111 1111 1111",
  "4111-1111-1111-1111",
  "3782-822463-10005",
  "378282246310005",
];
const secret = "Bearer eyJhbGciOiJSUzI1NiJ9.payload";

function linesOf(write: (log: Logger) => void): string {
  const lines: string[] = [];
  write(createLogger("test", "debug", { write: (line) => void lines.push(line) }));
  return lines.join("");
}

describe("a log line", () => {
  it("drops every field that is not a code, an id, a count or a size", () => {
    const line = linesOf((log) => {
      log.info(
        { body: secret, headers: { authorization: secret }, arguments: secret, data: secret, topic: "t" },
        "x",
      );
    });
    expect(line).not.toContain(secret);
    expect(JSON.parse(line)).toMatchObject({ topic: "t", service: "test", level: "info" });
  });

  it("drops an object in an allowed field", () => {
    expect(linesOf((log) => log.info({ reason: { nested: secret }, status: [secret] }, "x"))).not.toContain(
      secret,
    );
  });

  it.each(canaries)("loses %s wherever it is", (canary) => {
    const line = linesOf((log) => {
      log.error({ reason: `card ${canary}`, code: canary, endpoint: canary }, `message ${canary}.`);
      log.child({ sessionId: canary }).warn("x");
    });
    expect(line).toContain("[digits removed]");
    expect(line).not.toContain(canary);
  });

  it.each([
    ["an id", "01909090-1234-7123-8123-123456789012"],
    ["a digest", `ab${"0123456789".repeat(6)}cd`],
  ])("keeps %s as it is", (_, id) => {
    expect(linesOf((log) => log.info({ sessionId: id }, "x"))).toContain(id);
  });

  it.each([4111111111111111, 0.4111111111111111, -4111111111111111, NaN])(
    "is JSON with the number %d, and holds no long one",
    (count) => {
      const line = linesOf((log) => log.info({ count }, "x"));
      expect(JSON.parse(line)).toHaveProperty("count");
      expect(line).not.toContain("1111111111111");
    },
  );

  it("loses digits that only look like a part of a digest", () => {
    for (const text of [
      "4111111111111111".repeat(4),
      `a4111111111111111`,
      `${"a".repeat(64)} 4111111111111111`,
    ])
      expect(linesOf((log) => log.info({ reason: text }, "x"))).not.toContain("4111111111111111");
  });

  it("shows a foreign error's name and frames, never its message", () => {
    const foreign = Object.assign(new Error(`duplicate key (pan)=(${secret})`), {
      code: "23505",
      detail: secret,
    });
    const line = linesOf((log) => log.error({ error: foreign }, "failed"));
    expect(line).toContain("Error 23505");
    expect(line).not.toContain(secret);
  });

  it("shows our own error in full, and of its foreign cause no message", () => {
    const ours = new CountersignError("log_unavailable", "Try again.", { cause: new TypeError(secret) });
    const line = linesOf((log) => log.error({ error: ours }, "failed"));
    expect(line).toContain("log_unavailable: Try again. (caused by TypeError");
    expect(line).not.toContain(secret);
  });

  it("shows nothing of something thrown that is no error", () => {
    expect(linesOf((log) => log.error({ error: secret }, "failed"))).not.toContain(secret);
  });

  it("from the framework carries no error message and no stray object", () => {
    const line = linesOf((log) => {
      const nest = new NestLogs(log);
      nest.error(new Error(secret), "stack", "Context");
      nest.error(`failed with ${secret}`, `stack\n${secret}`, "Context");
      nest.warn({ body: secret });
    });
    expect(line).toContain("Context");
    expect(line).not.toContain(secret);
  });

  it("is one line of JSON, whatever it is given", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (reason, message) => {
        const line = linesOf((log) => log.info({ reason }, message));
        expect(line.trimEnd()).not.toContain("\n");
        expect(() => JSON.parse(line)).not.toThrow();
      }),
    );
  });
});
