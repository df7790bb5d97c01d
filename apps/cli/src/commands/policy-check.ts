import { basename } from "node:path";
import { ConfigurationRefused, loadConfiguration } from "@countersign/configuration";
import { Command } from "commander";
import { type CheckResult, counted, describeProblems } from "./configuration-report.js";

export const policyCheckCommand = (): Command =>
  new Command("check")
    .description("Check the Cedar policies that countersign.yaml names, against its endpoints.")
    .argument("[path]", "the configuration", "countersign.yaml")
    .addHelpText("after", "\nExits with 0 if they can be published, 1 if they cannot.")
    .action(async (path: string) => {
      const { text, exitCode } = await checkPolicyFiles(path, process.env);
      process.stdout.write(text);
      process.exitCode = exitCode;
    });

/**
 * Says what is wrong in the policies, and of the configuration only that something is: without it nobody knows where
 * the policies are and which endpoints they may name, so they do not pass.
 */
export async function checkPolicyFiles(path: string, env: NodeJS.ProcessEnv): Promise<CheckResult> {
  try {
    const { policies, version } = (await loadConfiguration(path, env)).bundle();
    const files = policies.map(({ file }) => `  ${file}\n`).join("");
    const count = counted(policies.length, "policy file is", "policy files are");
    return { text: `${count} in order:\n${files}bundle version ${version}\n`, exitCode: 0 };
  } catch (error) {
    if (!(error instanceof ConfigurationRefused)) throw error;
    const file = basename(path);
    const inPolicies = error.problems.filter((problem) => problem.file !== file);
    const elsewhere = error.problems.length - inPolicies.length;
    const hint =
      elsewhere === 0
        ? ""
        : `${file} itself has ${counted(elsewhere, "problem", "problems")}. Run: countersign config check ${path}\n`;
    const count = counted(inPolicies.length, "problem", "problems");
    return { text: `${describeProblems(inPolicies)}${count} in the policies\n${hint}`, exitCode: 1 };
  }
}
