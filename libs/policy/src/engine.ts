import { statefulIsAuthorized } from "@cedar-policy/cedar-wasm/nodejs";
import { CountersignError, type PolicyBundle } from "@countersign/contracts";
import { argumentTypesOf } from "./argument-types.js";
import { type CedarRequest, type Declared, cedarRequestOf } from "./cedar-request.js";
import { type NamedPolicy, policiesIn } from "./policy-files.js";
import { RememberedDecisions } from "./remembered-decisions.js";
import type { PolicyDecision, PolicyRequest } from "./request.js";
import { actionsIn, standIns } from "./schema-actions.js";
import { acquireSlot } from "./slots.js";
import { withoutArguments } from "./without-arguments.js";

/** A bundle that cannot be decided with. `checkPolicies` says where and why before it gets this far. */
export class PolicyBundleRefused extends CountersignError {
  constructor(reason: string, options?: { cause?: unknown }) {
    super(
      "policy_bundle_refused",
      `The policy bundle is refused: ${reason}. Run \`countersign policy check\`.`,
      options,
    );
  }
}

/**
 * Decides by the policies of one bundle. Nothing is allowed unless a policy permits it and none forbids it, and an
 * answer with any error in it allows nothing: a `forbid` that fails to evaluate must not open the door.
 */
export class PolicyEngine {
  readonly version: string;
  /** Every argument that some policy may look at; the proxy refuses doubles of these. */
  readonly argumentNames: ReadonlySet<string>;
  readonly #slot: string;
  readonly #slotWithoutArguments: string;
  readonly #declared: Declared;
  readonly #decisions: RememberedDecisions | undefined;

  /** Throws `PolicyBundleRefused` where the bundle does not parse or two policies bear one name. */
  constructor(bundle: Pick<PolicyBundle, "version" | "policies" | "schema">) {
    const policies = new Map<string, NamedPolicy>();
    let possible: ReadonlyMap<string, string>;
    try {
      this.#declared = { argumentTypes: argumentTypesOf(bundle.schema), actions: actionsIn(bundle.schema) };
      for (const policy of bundle.policies.flatMap(policiesIn)) {
        if (policies.has(policy.name)) throw new Error(`two policies are called "${policy.name}"`);
        policies.set(policy.name, policy);
      }
      possible = withoutArguments([...policies.values()]);
    } catch (error) {
      throw new PolicyBundleRefused(error instanceof Error ? error.message : "it cannot be read", {
        cause: error,
      });
    }
    this.version = bundle.version;
    this.argumentNames = new Set(this.#declared.argumentTypes.keys());
    // Where some policy asks for the time, the same question may have another answer a moment later.
    const asksForTime = [...policies.values()].some(({ text }) => /\bnow\b/.test(text));
    this.#decisions = asksForTime ? undefined : new RememberedDecisions();
    const texts = new Map([...policies].map(([name, { text }]) => [name, text]));
    const slot = acquireSlot(this, texts);
    const slotWithoutArguments = acquireSlot(this, possible);
    if (slot === undefined || slotWithoutArguments === undefined)
      throw new PolicyBundleRefused("Cedar cannot parse it");
    this.#slot = slot;
    this.#slotWithoutArguments = slotWithoutArguments;
  }

  decide(request: PolicyRequest, now: Date = new Date()): PolicyDecision {
    return this.#decide(request, now, this.#slot);
  }

  /**
   * Whether some arguments could be allowed: false only where the decision would be no whatever they are. For lists of
   * what there is to call; the call itself is decided by `decide`.
   */
  couldAllow(request: PolicyRequest, now: Date = new Date()): boolean {
    return this.#decide(request, now, this.#slotWithoutArguments).allowed;
  }

  #decide(asked: PolicyRequest, now: Date, slot: string): PolicyDecision {
    const request =
      asked.action === "openSessionUnattended" && !this.#declared.actions.has(asked.action)
        ? { ...asked, action: standIns[asked.action] }
        : asked;
    const translated = cedarRequestOf(request, now, this.#declared);
    if ("problem" in translated) return refused([translated.problem]);
    const remembered = this.#decisions;
    if (!remembered) return this.#evaluate(translated, slot);
    const { now: _, ...context } = translated.context;
    const question = JSON.stringify([slot, { ...translated, context }]);
    return remembered.get(question) ?? remembered.add(question, this.#evaluate(translated, slot));
  }

  #evaluate(translated: CedarRequest, slot: string): PolicyDecision {
    const answer = this.#ask({ ...translated, preparsedPolicySetId: slot });
    // Cedar's own message may quote the request, so it goes no further than this line.
    if (answer?.type !== "success") return refused(["Cedar could not read the request"]);
    const { decision, diagnostics } = answer.response;
    const errors = diagnostics.errors.map(({ policyId }) => `policy "${policyId}" could not be evaluated`);
    return {
      allowed: decision === "allow" && errors.length === 0,
      policies: diagnostics.reason.toSorted(),
      errors: errors.toSorted(),
    };
  }

  #ask(
    call: Parameters<typeof statefulIsAuthorized>[0],
  ): ReturnType<typeof statefulIsAuthorized> | undefined {
    try {
      return statefulIsAuthorized(call);
    } catch {
      return undefined;
    }
  }
}

const refused = (errors: string[]): PolicyDecision => ({ allowed: false, policies: [], errors });
