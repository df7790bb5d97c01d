import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lockDataDir } from "./launcher-lock.js";

describe("the lock of a data folder", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "countersign-lock-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("keeps a second launcher away while the first one runs", () => {
    lockDataDir(folder);
    expect(() => lockDataDir(folder)).toThrow(`already running on ${folder} (process ${process.pid})`);
  });

  it("can be taken again once it was released", () => {
    lockDataDir(folder).release();
    expect(lockDataDir(folder).previousDied).toBe(false);
  });

  it("is taken over from a launcher that died", async () => {
    const dead = spawn(process.execPath, ["-e", ""]);
    await once(dead, "exit");
    writeFileSync(join(folder, "launcher.pid"), `${dead.pid} 1\n`);
    expect(lockDataDir(folder).previousDied).toBe(true);
    expect(readFileSync(join(folder, "launcher.pid"), "utf8")).toMatch(new RegExp(`^${process.pid} `));
  });

  it.runIf(process.platform === "linux")(
    "is taken over when the process id now belongs to another process",
    () => {
      writeFileSync(join(folder, "launcher.pid"), `${process.pid} 1\n`);
      expect(lockDataDir(folder).previousDied).toBe(true);
    },
  );

  it("is taken over when its content was cut off", () => {
    writeFileSync(join(folder, "launcher.pid"), "");
    expect(lockDataDir(folder).previousDied).toBe(true);
  });
});
