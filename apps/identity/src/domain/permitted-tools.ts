import type { Client, PolicyBundle, Principal } from "@countersign/contracts";
import type { PolicyRequest } from "@countersign/policy";

/** What a session would let its client call, as far as policies name tools. */
export interface PermittedTools {
  readonly alone: readonly string[];
  readonly afterApproval: readonly string[];
}

const toolsMax = 100;

/**
 * The tools that policies name and would let this person call on an endpoint, with some arguments at least. Policies
 * may permit tools that they do not name; so this tells what is meant, and each call is decided on its own.
 */
export function permittedTools(given: {
  readonly couldAllow: (request: PolicyRequest) => boolean;
  readonly policies: PolicyBundle["policies"];
  readonly endpoint: string;
  readonly principal: Principal;
  readonly client: Client;
}): PermittedTools {
  const { couldAllow, endpoint, principal, client } = given;
  const may = (action: "call" | "callUnattended", name: string): boolean =>
    couldAllow({ action, principal, endpoint, client, operation: { kind: "tool", name } });
  const callable = toolsNamed(given.policies, endpoint).filter((name) => may("call", name));
  return {
    alone: callable.filter((name) => may("callUnattended", name)),
    afterApproval: callable.filter((name) => !may("callUnattended", name)),
  };
}

/** Names of tools in policies: `Tool::"payments/refund"`, and names that `resource.name` is compared with. */
function toolsNamed(policies: PolicyBundle["policies"], endpoint: string): string[] {
  const names = policies.flatMap(({ text }) => {
    const code = text.replaceAll(/\/\/.*$/gm, "");
    const entities = [...code.matchAll(/\bTool::"([^"\\/]+)\/([^"\\]+)"/g)]
      .filter(([, of]) => of === endpoint)
      .map(([, , name = ""]) => name);
    const compared = [...code.matchAll(/\bresource\.name\s*==\s*"([^"\\]+)"/g)].map(([, name = ""]) => name);
    const listed = [...code.matchAll(/\[([^\][]*)\]\s*\.\s*contains\(\s*resource\.name\s*\)/g)].flatMap(
      ([, list = ""]) => [...list.matchAll(/"([^"\\]+)"/g)].map(([, name = ""]) => name),
    );
    return [...entities, ...compared, ...listed];
  });
  return [...new Set(names)].toSorted().slice(0, toolsMax);
}
