import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query } from "@nestjs/common";
import { type ApprovalView, decisionRequest, id, type Principal } from "@countersign/contracts";
import { Caller, Shape } from "@countersign/service-kit";
import type { z } from "zod";
import { type ApprovalQuery, approvalQuery } from "./approvals.requests.js";
import { Approvals } from "./approvals.service.js";

@Controller("approvals")
export class ApprovalsController {
  constructor(@Inject(Approvals) private readonly approvals: Approvals) {}

  /** Those that the caller may decide or has asked for. */
  @Get()
  list(
    @Caller() caller: Principal,
    @Query(new Shape(approvalQuery)) query: ApprovalQuery,
  ): Promise<ApprovalView[]> {
    return this.approvals.list(caller, query);
  }

  @Get(":id")
  get(@Caller() caller: Principal, @Param("id", new Shape(id)) approvalId: string): Promise<ApprovalView> {
    return this.approvals.get(caller, approvalId);
  }

  /** What somebody else asked for, by those whom the policies designate, while it is pending. */
  @Post(":id/decision")
  @HttpCode(200)
  decide(
    @Caller() caller: Principal,
    @Param("id", new Shape(id)) approvalId: string,
    @Body(new Shape(decisionRequest)) body: z.infer<typeof decisionRequest>,
  ): Promise<ApprovalView> {
    return this.approvals.decide(caller, approvalId, body);
  }
}
