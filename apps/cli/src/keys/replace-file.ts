import { randomBytes } from "node:crypto";
import { chown, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";

const ownerOnly = 0o600;

/** Replaces a file as a whole, or not at all; only its owner can read it afterwards. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const { uid, gid } = await stat(path);
  const fresh = `${path}.${randomBytes(6).toString("hex")}.new`;
  try {
    const file = await open(fresh, "wx", ownerOnly);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    if (uid !== process.getuid?.() || gid !== process.getgid?.()) await chown(fresh, uid, gid);
    await rename(fresh, path);
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  }
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
