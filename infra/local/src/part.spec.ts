import { setTimeout as sleep } from "node:timers/promises";
import { beforeEach, describe, expect, it } from "vitest";
import { Part, startTogether } from "./part.js";
import type { PartName } from "./plan.js";
import { silent } from "./progress.js";
import type { RunningProgram } from "./running-program.js";

describe("a part of the suite", () => {
  const failures: unknown[] = [];
  const happened: string[] = [];
  const crashes: (() => void)[] = [];
  beforeEach(() => {
    for (const list of [failures, happened, crashes]) list.length = 0;
  });

  const fakeProgram = (pid: number): RunningProgram => {
    const { promise: failure, reject } = Promise.withResolvers<never>();
    failure.catch(() => undefined);
    const end = (how: string) => {
      happened.push(`${how} ${pid}`);
      reject(new Error(`${pid} ended`));
    };
    crashes.push(() => end("crash"));
    return { pid, logFile: "", failure, stop: async () => end("stop"), kill: () => end("kill") };
  };
  const fakePart = (name: PartName = "proxy") => {
    let pid = 0;
    return new Part({
      name,
      logFile: `${name}.log`,
      start: async () => fakeProgram((pid += 1)),
      onFailure: (error) => failures.push(error),
    });
  };

  it("that crashes is a failure, once", async () => {
    const part = fakePart();
    await part.start();
    crashes[0]?.();
    await sleep(0);
    expect([failures.length, part.isRunning]).toEqual([1, false]);
  });

  it("that was stopped or killed on purpose is no failure", async () => {
    const part = fakePart();
    await part.start();
    await part.stop();
    await part.start();
    await part.kill9();
    await sleep(0);
    expect([failures, happened]).toEqual([[], ["stop 1", "kill 2"]]);
  });

  it("has no process id while it does not run", async () => {
    const part = fakePart();
    expect(() => part.pid).toThrow("proxy is not running; start it first");
    await part.start();
    expect(part.pid).toBe(1);
    await part.stop();
    expect(() => part.pid).toThrow("not running");
  });

  it("that runs is not started a second time, and a restart is a new process", async () => {
    const part = fakePart();
    await part.start();
    await part.start();
    expect(part.pid).toBe(1);
    await part.restart();
    expect([part.pid, happened]).toEqual([2, ["stop 1"]]);
  });

  it("that cannot start is reported after the others' starts are over, so that they can be stopped", async () => {
    const slow = new Part({
      name: "audit",
      logFile: "",
      start: async () => {
        await sleep(20);
        return fakeProgram(7);
      },
      onFailure: () => undefined,
    });
    const broken = new Part({
      name: "masking",
      logFile: "",
      start: () => Promise.reject(new Error("no key")),
      onFailure: () => undefined,
    });
    await expect(startTogether([broken, slow], silent)).rejects.toThrow("no key");
    expect(slow.isRunning).toBe(true);
  });
});
