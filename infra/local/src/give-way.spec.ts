import { spawn } from "node:child_process";
import { once } from "node:events";
import { getPriority } from "node:os";
import { expect, it } from "vitest";
import { giveWay } from "./give-way.js";

it("lowers the priority of one process", async () => {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { detached: true });
  try {
    await once(child, "spawn");
    const before = getPriority(child.pid);
    await giveWay(child.pid ?? 0);
    expect(getPriority(child.pid)).toBeGreaterThan(before);
    expect(getPriority()).toBe(before);
  } finally {
    child.kill("SIGKILL");
  }
});

it("does not mind a process that is gone", async () => {
  await expect(giveWay(2 ** 22)).resolves.toBeUndefined();
});
