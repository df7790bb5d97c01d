import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freePorts } from "@countersign/service-kit/ports";
import { startProgram } from "./external-program.js";
import { startService } from "./service-process.js";
import type { SupervisedProgram } from "./supervisor.js";
import { waitUntil } from "./wait-until.js";

/** For a process to start or to end, on a machine that starts many at once. */
const endMsMax = 20_000;

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe("children of the launcher", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "countersign-children-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const script = (name: string, source: string) => {
    const file = join(folder, name);
    writeFileSync(file, source);
    return file;
  };
  const program = (source: string) => ({
    name: "stubborn",
    command: process.execPath,
    args: ["-e", source],
    env: {},
    logFile: join(folder, "stubborn.log"),
    stopSignal: "SIGTERM" as const,
  });
  const service = async (source: string) => {
    const [port = 0] = await freePorts(1);
    return {
      name: "small",
      main: script("main.mjs", source),
      env: { PORT: String(port) },
      logFile: join(folder, "small.log"),
      readyUrl: `http://127.0.0.1:${port}/readyz`,
    };
  };
  const listening = `import { createServer } from "node:http";
    createServer((request, response) => response.end()).listen(process.env.PORT, "127.0.0.1");`;

  it("that end too early say why, by the end of their log", async () => {
    const dying = await service(`console.error("the port is taken"); process.exit(1);`);
    await expect(startService(dying)).rejects.toThrow(
      /small ended unexpectedly\. Its last lines .*small\.log\):\n {2}small \| the port is taken$/,
    );
  });

  it("that have not been built are named", async () => {
    const missing = { ...(await service("")), main: join(folder, "dist/main.js") };
    await expect(startService(missing)).rejects.toThrow("Run npm run build first");
  });

  it("that never become ready are given up and ended", async () => {
    const pidFile = join(folder, "pid");
    const mute = await service(
      `import { writeFileSync } from "node:fs"; writeFileSync(${JSON.stringify(pidFile)}, String(process.pid));
       setInterval(() => {}, 1000);`,
    );
    await expect(startService({ ...mute, readyTimeoutMs: 5_000 })).rejects.toThrow("did not become ready");
    const pid = Number(readFileSync(pidFile, "utf8"));
    await waitUntil(async () => !isAlive(pid), { what: "its end", timeoutMs: endMsMax });
  });

  it("are ready when they answer, and gone when they were stopped", async () => {
    const running = await startService(await service(listening));
    expect(isAlive(running.pid)).toBe(true);
    await running.stop();
    expect(isAlive(running.pid)).toBe(false);
  });

  it("that are programs of others cannot be started when they do not exist", async () => {
    const missing = { ...program(""), command: join(folder, "no-such-program") };
    await expect(startProgram(missing)).rejects.toThrow("no-such-program cannot be run");
  });

  it("that are killed are gone with all of their own children", async () => {
    const running = await startProgram(
      program(`const child = require("node:child_process").spawn(process.execPath, ["-e", "setInterval(()=>{},1000)"]);
               console.log(child.pid); setInterval(()=>{},1000);`),
    );
    const grandchild = await logged(running.logFile);
    running.kill();
    await expect(running.failure).rejects.toThrow("was stopped");
    await waitUntil(async () => !isAlive(running.pid) && !isAlive(grandchild), {
      what: "their end",
      timeoutMs: endMsMax,
    });
  });

  it("end when the launcher is killed, even if they do not listen", async () => {
    const supervisor = join(import.meta.dirname, "supervisor.ts");
    const order: SupervisedProgram = {
      ...program(`process.on("SIGTERM", () => {}); console.log(process.pid); setInterval(() => {}, 1000);`),
      cwd: folder,
      stopTimeoutMs: 300,
    };
    const launcher = fork(
      script(
        "launcher.mjs",
        `import { fork } from "node:child_process";
         fork(${JSON.stringify(supervisor)}, { detached: true, stdio: ["ignore", "inherit", "inherit", "ipc"] })
           .send(${JSON.stringify(order)});
         setInterval(() => {}, 1000);`,
      ),
      { stdio: ["ignore", "pipe", "inherit", "ipc"] },
    );
    const [line]: Buffer[] = await once(launcher.stdout!, "data");
    const pid = Number(line);
    expect(isAlive(pid)).toBe(true);
    launcher.kill("SIGKILL");
    await waitUntil(async () => !isAlive(pid), { what: "its end", timeoutMs: endMsMax });
  });

  async function logged(file: string): Promise<number> {
    await waitUntil(async () => readFileSync(file, "utf8") !== "", { what: "its log", timeoutMs: endMsMax });
    return Number(readFileSync(file, "utf8"));
  }
});
