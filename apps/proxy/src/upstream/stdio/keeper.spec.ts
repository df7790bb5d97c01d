import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { alive } from "./alive.fixture.js";

const keeperUrl = new URL("./keeper.ts", import.meta.url).href;

/** A gateway in small: starts a server as `stdio.wire.ts` does, names both to the keeper, and waits. */
const gateway = `
  const { spawn } = await import("node:child_process");
  const { Keeper } = await import(${JSON.stringify(keeperUrl)});
  const stubborn = 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000);';
  const start = () => spawn(process.execPath, ["-e", stubborn], { detached: true, stdio: "ignore" }).pid;
  const keeper = new Keeper();
  const [kept, forgotten] = [start(), start()];
  keeper.add(forgotten);
  keeper.add(kept);
  keeper.remove(forgotten);
  console.log(JSON.stringify([kept, forgotten]));
  setInterval(() => {}, 1000);
`;

describe("the keeper", () => {
  it("ends the servers of a gateway that was killed, and no other process", async () => {
    const cwd = fileURLToPath(new URL(".", import.meta.url));
    const program = spawn(process.execPath, ["--input-type=module", "-e", gateway], {
      cwd,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(program.stdout, "data")) as [Buffer];
    const [kept, forgotten] = JSON.parse(line.toString()) as [number, number];
    try {
      expect([alive(kept), alive(forgotten)]).toEqual([true, true]);
      program.kill("SIGKILL");
      await expect.poll(() => alive(kept), { timeout: 10_000 }).toBe(false);
      expect(alive(forgotten)).toBe(true);
    } finally {
      process.kill(forgotten, "SIGKILL");
    }
  }, 20_000);
});
