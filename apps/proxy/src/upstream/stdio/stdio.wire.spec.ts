import { existsSync } from "node:fs";
import { text } from "node:stream/consumers";
import { createLogger } from "@countersign/service-kit";
import type { StdioUpstream } from "@countersign/contracts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Secrets } from "../credentials/secrets.js";
import { Vault } from "../credentials/vault.js";
import type { Wire } from "../duplex/wire.js";
import { DuplexUpstream } from "../duplex/duplex.upstream.js";
import { alive } from "./alive.fixture.js";
import { Keeper } from "./keeper.js";
import { processesMarked } from "./process-group.js";
import { openStdio, type StdioTools } from "./stdio.wire.js";

const secret = "canary-secret-5f2a";
const keeper = new Keeper();
let lines: string[];
let closed: Error[];
let logged: number;
let log: string[];
let tools: StdioTools;
const open: Wire[] = [];

beforeEach(() => {
  lines = [];
  closed = [];
  logged = 0;
  log = [];
  process.env["TEST_STDIO_SECRET"] = secret;
  const vault = new Vault({ address: undefined, token: () => undefined, now: () => 0 });
  tools = {
    secrets: new Secrets(vault),
    keeper,
    commandsAllowed: [process.execPath, "/nowhere/server"],
    path: process.env["PATH"],
    logged: (bytes) => (logged += bytes),
  };
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((wire) => wire.close()));
});

const settings = (script: string, changes: Partial<StdioUpstream> = {}): StdioUpstream => ({
  transport: "stdio",
  command: [process.execPath, "-e", script],
  environment: {},
  processesMax: 4,
  idleSeconds: 60,
  timeoutSeconds: 5,
  ...changes,
});
const run = async (given: StdioUpstream, bytesMax = 10_000): Promise<Wire> => {
  const wire = await openStdio(given, bytesMax, tools, {
    message: (bytes) => lines.push(bytes.toString()),
    logged: (text) => log.push(text),
    closed: (why) => closed.push(why),
  });
  open.push(wire);
  return wire;
};
const said = async (count = 1): Promise<unknown[]> => {
  await expect.poll(() => lines.length).toBeGreaterThanOrEqual(count);
  return lines.map((line): unknown => JSON.parse(line));
};
const signal = () => AbortSignal.timeout(15_000);
/** Says the ids of its processes, ignores SIGTERM and its input, and stays. */
const stubborn = `process.on("SIGTERM", () => {}); setInterval(() => {}, 1000);`;

describe("a server that the gateway runs", () => {
  describe("never survives its session", () => {
    it("when it ignores everything but SIGKILL, and neither does its child", async () => {
      const wire = await run(
        settings(`
        const child = require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(stubborn)}], { stdio: "ignore" });
        ${stubborn} console.log(JSON.stringify([process.pid, child.pid]));`),
      );
      const [pids] = (await said()) as [number[]];
      expect(pids?.map(alive)).toEqual([true, true]);
      await wire.close();
      expect(pids?.map(alive)).toEqual([false, false]);
    });

    it.runIf(existsSync("/proc/self/environ"))(
      "when its child leaves the process group and is disowned",
      async () => {
        const inner = `console.log(process.pid); process.on("SIGTERM", () => {}); setInterval(() => {}, 1000);`;
        const wire = await run(
          settings(`
          const child = require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(inner)}], { detached: true, stdio: ["ignore", "inherit", "ignore"] });
          child.unref();`),
        );
        const [pid] = (await said()) as [number];
        await expect.poll(() => closed.length).toBe(1);
        expect(alive(pid)).toBe(true);
        await wire.close();
        await expect.poll(() => alive(pid)).toBe(false);
      },
    );

    it("when it ends by itself and leaves a child behind that holds its output open", async () => {
      const wire = await run(
        settings(`
        const child = require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(stubborn)}], { stdio: "inherit" });
        console.log(child.pid); process.exitCode = 3; child.unref(); process.disconnect?.(); setTimeout(() => process.exit(3), 50);`),
      );
      const [pid] = (await said()) as [number];
      await expect.poll(() => closed.length).toBe(1);
      expect(closed[0]?.message).toContain("exit code 3");
      await wire.close();
      expect(alive(pid)).toBe(false);
    });
  });

  describe("is not run", () => {
    it("where this proxy was not told that it may run such a program", async () => {
      tools = { ...tools, commandsAllowed: [] };
      await expect(run(settings(""))).rejects.toMatchObject({ code: "upstream_unavailable", sent: false });
    });

    it("without a secret that it needs", async () => {
      const environment = { KEY: { env: "TEST_STDIO_SECRET_MISSING" } };
      await expect(run(settings("", { environment }))).rejects.toMatchObject({
        code: "upstream_credential_failed",
      });
    });

    it.each([
      ["where it is not there", { command: ["/nowhere/server"] }],
      ["in a folder that is not there", { workingDirectory: "/nowhere" }],
    ])("%s, and the error names no path", async (_, changes) => {
      const error: unknown = await run(settings("", changes)).catch((error: unknown) => error);
      expect(error).toMatchObject({ code: "upstream_unavailable" });
      expect((error as Error).message).not.toContain("nowhere");
    });
  });

  it("sees nothing of the gateway's environment but what its endpoint lists", async () => {
    process.env["TEST_STDIO_OTHER"] = "canary-other";
    const environment = { KEY: { env: "TEST_STDIO_SECRET" }, READONLY: { value: "true" } };
    await run(
      settings(
        `const { KEY, ...rest } = process.env; console.log(JSON.stringify([Object.keys(process.env).sort(), KEY.length, rest.READONLY, rest.HOME === process.cwd()]));`,
        { environment },
      ),
    );
    expect(await said()).toEqual([
      [
        ["COUNTERSIGN_PROCESS", "HOME", "KEY", "LANG", "PATH", "READONLY", "TMPDIR"],
        secret.length,
        "true",
        true,
      ],
    ]);
  });

  it("does not get its secrets past the gateway, and what it writes to its log is told without them, to its last word", async () => {
    const wire = await run(
      settings(
        `console.error("log in failed: " + process.env.KEY); console.log(JSON.stringify({ e: process.env.KEY }));`,
        {
          environment: { KEY: { env: "TEST_STDIO_SECRET" } },
        },
      ),
    );
    expect(JSON.stringify(await said())).not.toContain("canary");
    await expect.poll(() => logged).toBeGreaterThan(0);
    expect(JSON.stringify(lines)).not.toContain("log in failed");
    await wire.close();
    expect(log).toEqual(["log in failed: [upstream credential removed]"]);
  });

  it("is ended when a line does not end", async () => {
    await run(settings(`setInterval(() => process.stdout.write("x".repeat(4000)), 1)`), 10_000);
    await expect.poll(() => closed.length).toBe(1);
    expect(closed[0]?.name).toBe("LineTooLong");
  });

  it("hears one message per line, whatever line breaks a client sends", async () => {
    const wire = await run(
      settings(
        `require("readline").createInterface({ input: process.stdin }).on("line", (line) => console.log(JSON.stringify(line)));`,
      ),
    );
    const hidden = '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"delete_customer"}}';
    await wire.send(Buffer.from(`{"a":1,\n"b":"x\u2028y"\r\n}\n`), {}, signal());
    await wire.send(Buffer.from(`{"a":\n${hidden}\n}`), {}, signal());
    const heard = (await said(2)) as string[];
    expect(heard).toHaveLength(2);
    expect(JSON.parse(heard[0] ?? "")).toEqual({ a: 1, b: "x\u2028y" });
  });

  it("does not hold up a client for ever that it does not listen to", async () => {
    const wire = await run(settings(`setInterval(() => {}, 1000)`));
    const big = Buffer.from(JSON.stringify("x".repeat(4 * 1024 * 1024)));
    await expect(wire.send(big, {}, AbortSignal.timeout(100))).rejects.toThrow(/aborted/);
    for (let i = 0; i < 5; i++) await wire.send(big, {}, AbortSignal.timeout(20)).catch(() => undefined);
    await expect(wire.send(big, {}, signal())).rejects.toMatchObject({ code: "upstream_busy" });
  });

  it("delivers the last words of a program that ends at once", async () => {
    await run(settings(`console.log('{"last":true}')`));
    expect(await said()).toEqual([{ last: true }]);
    await expect.poll(() => closed.length).toBe(1);
  });

  it("leaves no process behind when the gateway stops, however many there are", async () => {
    const upstream = new DuplexUpstream({
      endpoint: "cards",
      wiresMax: 3,
      idleMs: 60_000,
      log: createLogger("test", "silent"),
      stray: () => undefined,
      open: (events) =>
        openStdio(
          settings(
            `${stubborn} require("readline").createInterface({ input: process.stdin }).on("line", (line) => console.log(JSON.stringify({ jsonrpc: "2.0", id: JSON.parse(line).id, result: { pid: process.pid, mark: process.env.COUNTERSIGN_PROCESS } })));`,
          ),
          10_000,
          tools,
          events,
        ),
    });
    const results = await Promise.all(
      [1, 2, 3].map(async (n) => {
        const message = { jsonrpc: "2.0", id: n, method: "initialize", params: {} };
        const { body } = await upstream.send({
          httpMethod: "POST",
          listens: false,
          headers: {},
          body: Buffer.from(JSON.stringify(message)),
          signal: signal(),
          session: { id: `s${n}`, ended: new AbortController().signal },
        });
        return (JSON.parse(await text(body)) as { result: { pid: number; mark: string } }).result;
      }),
    );
    expect(results.map(({ pid }) => alive(pid))).toEqual([true, true, true]);
    await upstream.close();
    expect(results.map(({ pid }) => alive(pid))).toEqual([false, false, false]);
    expect((await Promise.all(results.map(({ mark }) => processesMarked(mark)))).flat()).toEqual([]);
  });
});
