import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { kafkaFolder, kafkaVersion, parseChecksums, unexpectedJars } from "./kafka-jars.js";

const sha256OfHello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

describe("the checksums of Kafka's jars", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "countersign-jars-"));
    await writeFile(join(folder, "good.jar"), "hello");
    await writeFile(join(folder, "changed.jar"), "hello!");
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("find a changed jar and a missing one", async () => {
    const checksums = ["good.jar", "changed.jar", "missing.jar"].map((file) => ({
      file,
      sha256: sha256OfHello,
    }));
    expect(await unexpectedJars(folder, checksums)).toEqual(["changed.jar", "missing.jar"]);
  });

  it.each(["", "../evil.jar", "good.jar evil.jar", "good.zip"])(
    "do not name anything but a jar: %j",
    (file) => {
      expect(() => parseChecksums(`${sha256OfHello}  ${file}`)).toThrow("not a checksum line");
    },
  );

  it("are committed for one version of Kafka, the one that the pom names", async () => {
    const checksums = parseChecksums(await readFile(join(kafkaFolder, "checksums.sha256"), "utf8"));
    const pom = await readFile(join(kafkaFolder, "pom.xml"), "utf8");
    const [, version] = /<artifactId>kafka_2\.13<\/artifactId>\s*<version>([^<]+)</.exec(pom) ?? [];
    expect(version).toBe(kafkaVersion(checksums));
  });
});
