import { Body, Controller, Get, Header, HttpCode, Inject, Param, Post, Res } from "@nestjs/common";
import { id, type Principal, revealRequest, type RevealView } from "@countersign/contracts";
import { Caller, Shape } from "@countersign/service-kit";
import type { z } from "zod";
import type { Reveal } from "./opening.js";
import { Reveals } from "./reveals.js";

const accepted = 202;

@Controller()
export class OriginalsController {
  constructor(@Inject(Reveals) private readonly reveals: Reveals) {}

  /** 200 with the original, or 202 with a request that a second person has to approve first. */
  @Post("originals/:id/reveal")
  @HttpCode(200)
  @Header("cache-control", "no-store")
  async reveal(
    @Param("id", new Shape(id)) originalId: string,
    @Body(new Shape(revealRequest)) { justification }: z.infer<typeof revealRequest>,
    @Caller() caller: Principal,
    @Res({ passthrough: true }) response: { status(code: number): unknown },
  ): Promise<Reveal | RevealView> {
    const answer = await this.reveals.reveal(originalId, caller, justification);
    if ("shown" in answer) return answer.shown;
    response.status(accepted);
    return answer.waiting;
  }

  /** For the one who asked. */
  @Get("reveals/:id")
  @Header("cache-control", "no-store")
  status(@Param("id", new Shape(id)) revealId: string, @Caller() caller: Principal): Promise<RevealView> {
    return this.reveals.status(revealId, caller);
  }

  /** The original, once, for the one who asked, after a second person approved it. */
  @Post("reveals/:id/show")
  @HttpCode(200)
  @Header("cache-control", "no-store")
  show(@Param("id", new Shape(id)) revealId: string, @Caller() caller: Principal): Promise<Reveal> {
    return this.reveals.show(revealId, caller);
  }
}
