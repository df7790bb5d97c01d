import { Body, Controller, Header, HttpCode, Inject, Param, Post } from "@nestjs/common";
import { id, type Principal, revealRequest } from "@countersign/contracts";
import { Caller, Shape } from "@countersign/service-kit";
import type { z } from "zod";
import { type Reveal, Reveals } from "./reveals.js";

@Controller("originals")
export class OriginalsController {
  constructor(@Inject(Reveals) private readonly reveals: Reveals) {}

  @Post(":id/reveal")
  @HttpCode(200)
  @Header("cache-control", "no-store")
  reveal(
    @Param("id", new Shape(id)) originalId: string,
    @Body(new Shape(revealRequest)) { justification }: z.infer<typeof revealRequest>,
    @Caller() caller: Principal,
  ): Promise<Reveal> {
    return this.reveals.reveal(originalId, caller, justification);
  }
}
