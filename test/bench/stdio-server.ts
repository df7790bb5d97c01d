/** The fixture server over stdio, for bridges that start their server themselves. */
import { createInterface } from "node:readline";
import { answerTo, type Rpc } from "./fixture-answers.ts";

createInterface({ input: process.stdin }).on("line", (line) => {
  const rpc = JSON.parse(line) as Rpc;
  for (const message of answerTo(rpc)) process.stdout.write(`${message}\n`);
});
