import { runLauncher } from "./run-launcher.js";
import { summaryOf } from "./summary.js";

await runLauncher({ endsByInterrupt: true }, async (suite, interrupted) => {
  process.stdout.write(`${summaryOf(suite)}\n`);
  await interrupted;
});
