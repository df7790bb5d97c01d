import { ConfigurationRefused, loadConfiguration } from "@countersign/configuration";
import { Command } from "commander";
import { printable } from "../printable.js";
import { type CheckResult, counted, describeProblems } from "./configuration-report.js";

export const configCheckCommand = (): Command =>
  new Command("check")
    .description("Check countersign.yaml and the policies that it names; says all that is wrong at once.")
    .argument("[path]", "the configuration", "countersign.yaml")
    .addHelpText("after", "\nExits with 0 if it can be used, 1 if it cannot.")
    .action(async (path: string) => {
      const { text, exitCode } = await checkConfiguration(path, process.env);
      process.stdout.write(text);
      process.exitCode = exitCode;
    });

export async function checkConfiguration(path: string, env: NodeJS.ProcessEnv): Promise<CheckResult> {
  try {
    const configuration = await loadConfiguration(path, env);
    const { endpoints, policies, version } = configuration.bundle();
    const parts = [
      counted(endpoints.length, "endpoint", "endpoints"),
      counted(configuration.identityProviders.length, "identity provider", "identity providers"),
      counted(policies.length, "policy file", "policy files"),
    ];
    return {
      text: `${printable(path)} is in order: ${parts.join(", ")}.\nbundle version ${version}\n`,
      exitCode: 0,
    };
  } catch (error) {
    if (!(error instanceof ConfigurationRefused)) throw error;
    const count = counted(error.problems.length, "problem", "problems");
    return { text: `${describeProblems(error.problems)}${count}\n`, exitCode: 1 };
  }
}
