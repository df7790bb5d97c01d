import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { asUser, isBehindClosedFolder, unprivilegedUser } from "./postgres-user.js";

const root = "root:x:0:0:root:/root:/bin/bash";
const nobody = "nobody:x:65534:65533:nobody:/nonexistent:/usr/sbin/nologin";
const postgres = "postgres:x:101:104::/var/lib/postgresql:/bin/bash";

describe("the user that runs PostgreSQL", () => {
  it("is never root", () => {
    expect(unprivilegedUser(root)).toBeUndefined();
  });

  it("is postgres where there is one, else nobody", () => {
    expect(unprivilegedUser([root, nobody, postgres].join("\n"))).toEqual({ uid: 101, gid: 104 });
    expect(unprivilegedUser([root, nobody].join("\n"))).toEqual({ uid: 65_534, gid: 65_533 });
  });

  it("keeps no capability of root's but the one to pass closed folders, and that only where needed", () => {
    const user = { uid: 101, gid: 104 };
    expect(asUser(["postgres", "-D", "/data"], user, false).join(" ")).toBe(
      "setpriv --reuid=101 --regid=104 --clear-groups -- postgres -D /data",
    );
    expect(asUser(["postgres"], user, true).join(" ")).toContain("--ambient-caps=+dac_override -- postgres");
    expect(asUser(["postgres"], undefined, true)).toEqual(["postgres"]);
  });
});

describe("a path", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "countersign-closed-"));
    await mkdir(join(folder, "open"), { mode: 0o755 });
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("is closed to others when any folder on the way is", async () => {
    const path = join(folder, "open/not-there-yet/file");
    await chmod(folder, 0o700);
    expect(await isBehindClosedFolder([path])).toBe(true);
    await chmod(folder, 0o755);
    expect(await isBehindClosedFolder([path])).toBe(false);
  });
});
