import { Controller, Inject } from "@nestjs/common";
import { Payload } from "@nestjs/microservices";
import type { EventMessage, PolicyBundle } from "@countersign/contracts";
import { PolicyBundleRefused } from "@countersign/policy";
import { LOG, type Logger, OnEvent } from "@countersign/service-kit";
import { Approvers } from "./approvers.js";

/** Follows `policy.bundles`, so that the newest policies decide who may approve. */
@Controller()
export class PoliciesConsumer {
  constructor(
    @Inject(Approvers) private readonly approvers: Approvers,
    @Inject(LOG) private readonly log: Logger,
  ) {}

  @OnEvent("policy.bundles", "PolicyBundlePublished")
  use(@Payload() { data }: EventMessage<"PolicyBundlePublished", PolicyBundle>): void {
    try {
      this.approvers.use(data);
    } catch (error) {
      if (!(error instanceof PolicyBundleRefused)) throw error;
      this.log.error(
        { code: error.code, version: data.version },
        "a policy bundle cannot be used; the one before it holds",
      );
    }
  }
}
