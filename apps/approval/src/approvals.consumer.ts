import { Controller, Inject } from "@nestjs/common";
import { Ctx, Payload } from "@nestjs/microservices";
import type { EventMessage, RequestApproval, WithdrawApproval } from "@countersign/contracts";
import { type EventContext, OnEvent } from "@countersign/service-kit";
import { DataSource, type EntityManager } from "typeorm";
import { ApprovalStore } from "./approval-store.js";
import { requestApproval, withdrawApproval } from "./domain/hold.js";

/** Takes up the commands on `approval.commands`, each in the transaction that also moves past it. */
@Controller()
export class ApprovalsConsumer {
  constructor(
    @Inject(ApprovalStore) private readonly store: ApprovalStore,
    @Inject(DataSource) private readonly dataSource: DataSource,
  ) {}

  @OnEvent("approval.commands", "RequestApproval")
  async request(
    @Payload() { id, data }: EventMessage<"RequestApproval", RequestApproval>,
    @Ctx() context: EventContext,
  ): Promise<void> {
    const decide = (approval: Parameters<typeof requestApproval>[0]) => requestApproval(approval, data);
    await this.store.change(this.#managerOf(context), data.approvalId, decide, id);
  }

  @OnEvent("approval.commands", "WithdrawApproval")
  async withdraw(
    @Payload() { id, data }: EventMessage<"WithdrawApproval", WithdrawApproval>,
    @Ctx() context: EventContext,
  ): Promise<void> {
    const decide = (approval: Parameters<typeof withdrawApproval>[0]) =>
      withdrawApproval(approval, data.reason);
    await this.store.change(this.#managerOf(context), data.approvalId, decide, id);
  }

  #managerOf({ manager }: EventContext): EntityManager {
    return manager ?? this.dataSource.manager;
  }
}
