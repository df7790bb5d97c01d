import { parseArgs } from "node:util";
import pc from "picocolors";
import { play } from "./demo/play.js";
import { runLauncher } from "./run-launcher.js";
import { summaryOf } from "./summary.js";

const { values } = parseArgs({ options: { exit: { type: "boolean", default: false } } });
const print = (line: string): void => void process.stdout.write(`${line}\n`);

await runLauncher({ endsByInterrupt: true }, async (suite, interrupted) => {
  await play(suite, print);
  print(`\n${pc.green(pc.bold("Every step held."))}`);
  if (values.exit) return;
  print(summaryOf(suite));
  await interrupted;
});
