import { readFileSync, writeFileSync } from "node:fs";
import { asyncApiDocument } from "./asyncapi.js";

/** Writes the documents that are generated from the contracts; with `--check`, only says whether they are up to date. */
const packageFolder = new URL("../", import.meta.url);
const { version } = JSON.parse(readFileSync(new URL("package.json", packageFolder), "utf8")) as {
  version: string;
};

const documents = { "asyncapi.json": asyncApiDocument(version) };

const onlyCheck = process.argv.includes("--check");
for (const [name, document] of Object.entries(documents)) {
  const file = new URL(name, packageFolder);
  const text = `${JSON.stringify(document, undefined, 2)}\n`;
  if (!onlyCheck) writeFileSync(file, text);
  else if (textOf(file) !== text) {
    process.stderr.write(`libs/contracts/${name} is not what the contracts say; run npm run generate.\n`);
    process.exitCode = 1;
  }
}

function textOf(file: URL): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
