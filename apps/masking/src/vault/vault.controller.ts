import { Body, Controller, Get, Header, HttpCode, Inject, Param, Post } from "@nestjs/common";
import { id, type Principal, shredRequest } from "@countersign/contracts";
import { ApiError, Caller, Shape } from "@countersign/service-kit";
import type { z } from "zod";
import { PolicyView } from "../policy/policy.view.js";
import { Destruction } from "./destruction.js";
import type { Destroyed } from "./destruction.store.js";
import { Rewrapping } from "./rewrapping.js";

/** What administrators do with the vault. None of it shows anything that was sealed. */
@Controller()
export class VaultController {
  constructor(
    @Inject(Destruction) private readonly destruction: Destruction,
    @Inject(Rewrapping) private readonly rewrapping: Rewrapping,
    @Inject(PolicyView) private readonly policy: PolicyView,
  ) {}

  @Post("sessions/:id/shred")
  @HttpCode(200)
  shred(
    @Param("id", new Shape(id)) sessionId: string,
    @Body(new Shape(shredRequest)) { justification }: z.infer<typeof shredRequest>,
    @Caller() caller: Principal,
  ): Promise<Destroyed> {
    return this.destruction.onRequest(sessionId, caller, justification);
  }

  /** Which of the vault's keys are still needed. */
  @Get("vault-keys")
  @Header("cache-control", "no-store")
  keys(@Caller() caller: Principal): ReturnType<Rewrapping["usage"]> {
    if (!this.policy.may("administer", caller)) {
      throw new ApiError(
        403,
        "forbidden_by_policy",
        "No policy lets you see this; ask for the action `administer`.",
      );
    }
    return this.rewrapping.usage();
  }
}
