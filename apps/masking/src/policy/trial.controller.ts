import { Body, Controller, Header, HttpCode, Inject, Post } from "@nestjs/common";
import { dayOf, JsonRefused, scanJson, scanText } from "@countersign/card-data";
import { type CardDataPolicy, endpointName, type Finding, type Principal } from "@countersign/contracts";
import { ApiError, Caller, Clock, Shape } from "@countersign/service-kit";
import { z } from "zod";
import { CardDataPolicyInForce } from "./card-data-policy.js";
import { PolicyView } from "./policy.view.js";

const trialRequest = z.object({
  text: z.string().max(50_000),
  contentType: z.string().max(200).optional(),
  /** Without one, what holds at every endpoint. */
  endpoint: endpointName.optional(),
});

interface Trial extends Pick<CardDataPolicy, "version" | "strictness" | "requests" | "opaque"> {
  readonly findings: Finding[];
  readonly masked: string;
}

/** What the policy in force makes of a text. Nothing of it is kept, logged or recorded. */
@Controller("trial")
export class TrialController {
  constructor(
    @Inject(CardDataPolicyInForce) private readonly cardData: CardDataPolicyInForce,
    @Inject(PolicyView) private readonly policy: PolicyView,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  @Post()
  @HttpCode(200)
  @Header("cache-control", "no-store")
  try(
    @Body(new Shape(trialRequest)) { text, contentType, endpoint }: z.infer<typeof trialRequest>,
    @Caller() caller: Principal,
  ): Trial {
    if (!this.policy.may("administer", caller)) {
      throw new ApiError(
        403,
        "forbidden_by_policy",
        "No policy lets you try the masking policy; ask for the action `administer`.",
      );
    }
    if (endpoint !== undefined && !this.policy.knows(endpoint)) {
      throw new ApiError(404, "endpoint_unknown", "There is no such endpoint; leave it out, or correct it.");
    }
    const policy = this.cardData.at(endpoint);
    const options = { policy, today: dayOf(this.clock.now()) };
    const { findings, masked } = isJson(contentType) ? scannedJson(text, options) : scanText(text, options);
    const { version, strictness, requests, opaque } = policy;
    return { version, strictness, requests, opaque, findings, masked };
  }
}

const isJson = (contentType: string | undefined): boolean =>
  contentType !== undefined && /^application\/(?:[\w.-]+\+)?json\b/i.test(contentType);

function scannedJson(...[text, options]: Parameters<typeof scanJson>): ReturnType<typeof scanJson> {
  try {
    return scanJson(text, options);
  } catch (error) {
    if (!(error instanceof JsonRefused)) throw error;
    throw new ApiError(
      400,
      "request_invalid",
      "text: is not strict JSON; leave contentType out to try it as text",
      {
        cause: error,
      },
    );
  }
}
