import { Injectable } from "@nestjs/common";
import type { PolicyBundle, Principal, RequestApproval } from "@countersign/contracts";
import { PolicyEngine } from "@countersign/policy";
import { ApiError } from "@countersign/service-kit";

/** Who may decide which held call, by the policies that hold now. */
@Injectable()
export class Approvers {
  #engine: PolicyEngine | undefined;

  /** Throws `PolicyBundleRefused` and keeps the policies it had. */
  use(bundle: PolicyBundle): void {
    this.#engine = new PolicyEngine(bundle);
  }

  /** Whether the policies designate this person. They are told what the approver sees, which is masked. */
  isDesignated(principal: Principal, request: RequestApproval, now: Date): boolean {
    if (!this.#engine)
      throw new ApiError(503, "policy_missing", "No policies were received yet; try again in a moment.");
    const { endpoint, tool, requester } = request;
    return this.#engine.decide(
      { action: "approve", principal, endpoint, tool, requester, arguments: parsed(request.arguments) },
      now,
    ).allowed;
  }
}

/** No text is no arguments. Arguments that are no JSON become an argument of the wrong type, which no policy gets to permit. */
const parsed = (text: string): unknown => {
  if (text === "") return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
};
