import { CountersignError } from "@countersign/contracts";
import { Command, CommanderError } from "commander";
import { configCheckCommand } from "./commands/config-check.js";
import { keysRotateCommand, keysShowCommand } from "./commands/keys.js";
import { maskCommand } from "./commands/mask.js";
import { policyCheckCommand } from "./commands/policy-check.js";
import { verifyCommand } from "./commands/verify.js";

/** Neither proven nor refuted: the command was not understood, or could not read what it was given. */
const usageExitCode = 2;

const program = new Command("countersign")
  .description("Mask card data, verify evidence, check configuration and policies, look after keys.")
  .exitOverride();
const add = (parent: Command, command: Command): Command =>
  parent.addCommand(command.copyInheritedSettings(program));

add(program, maskCommand());
add(program, verifyCommand());
const keys = program.command("keys").description("The keys of the vault and of fingerprints.");
add(keys, keysRotateCommand());
add(keys, keysShowCommand());
add(program.command("config").description("The configuration of a deployment."), configCheckCommand());
add(program.command("policy").description("The Cedar policies of a deployment."), policyCheckCommand());

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : usageExitCode;
  } else if (error instanceof CountersignError) {
    process.stderr.write(`countersign: ${error.message}\n`);
    process.exitCode = usageExitCode;
  } else {
    throw error;
  }
}
