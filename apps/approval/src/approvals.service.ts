import { Inject, Injectable } from "@nestjs/common";
import type { ApprovalAttemptRefused, ApprovalView, Principal } from "@countersign/contracts";
import { ApiError, Clock, Outbox } from "@countersign/service-kit";
import { DataSource, LessThan } from "typeorm";
import { ApprovalRow } from "./approval.entity.js";
import { approvalOf, viewOf } from "./approval-row.js";
import { ApprovalStore } from "./approval-store.js";
import type { ApprovalQuery } from "./approvals.requests.js";
import { Approvers } from "./approvers.js";
import { type Attempt, decideApproval } from "./domain/decide.js";

/** One look at the inbox goes through no more than this many approvals. */
const scannedMax = 1_000;
const pageSize = 200;

/** Approvals as people see them: those they may decide, and those they asked for. */
@Injectable()
export class Approvals {
  constructor(
    @Inject(DataSource) private readonly dataSource: DataSource,
    @Inject(ApprovalStore) private readonly store: ApprovalStore,
    @Inject(Approvers) private readonly approvers: Approvers,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  async list(caller: Principal, { status, before, limit }: ApprovalQuery): Promise<ApprovalView[]> {
    const views: ApprovalView[] = [];
    let last = before;
    for (let scanned = 0; scanned < scannedMax; scanned += pageSize) {
      const rows = await this.dataSource.manager.find(ApprovalRow, {
        where: {
          ...(status === undefined ? {} : { status }),
          ...(last === undefined ? {} : { approvalId: LessThan(last) }),
        },
        order: { approvalId: "DESC" },
        take: pageSize,
      });
      for (const row of rows) {
        if (views.length === limit) return views;
        if (this.#concerns(caller, row)) views.push(viewOf(approvalOf(row)));
      }
      last = rows.at(-1)?.approvalId;
      if (rows.length < pageSize) break;
    }
    return views;
  }

  async get(caller: Principal, approvalId: string): Promise<ApprovalView> {
    const row = await this.dataSource.manager.findOneBy(ApprovalRow, { approvalId });
    if (!row || !this.#concerns(caller, row)) throw unknownApproval();
    return viewOf(approvalOf(row));
  }

  /** Decides. A refused attempt is on the record before its refusal is answered. */
  async decide(caller: Principal, approvalId: string, attempt: Omit<Attempt, "by">): Promise<ApprovalView> {
    const { approval, events } = await this.dataSource.transaction((manager) =>
      this.store.change(manager, approvalId, (approval, now) => {
        if (approval.status === "unknown") throw unknownApproval();
        const designated = this.approvers.isDesignated(caller, approval.request, now);
        return decideApproval(approval, { ...attempt, by: caller }, designated, now);
      }),
    );
    this.outbox.wake();
    const refused = events.find((event) => event.type === "ApprovalAttemptRefused");
    if (refused) throw refusalOf(refused.data.reason, approval.status);
    if (approval.status === "unknown") throw unknownApproval();
    return viewOf(approval);
  }

  #concerns(caller: Principal, row: ApprovalRow): boolean {
    return (
      row.requesterId === caller.id || this.approvers.isDesignated(caller, row.request, this.clock.now())
    );
  }
}

const refusalOf = (reason: ApprovalAttemptRefused["reason"], status: string): ApiError => {
  switch (reason) {
    case "own_call":
      return new ApiError(
        403,
        reason,
        "Nobody decides what they asked for themselves; somebody else has to.",
      );
    case "not_designated":
      return new ApiError(403, reason, "The policies do not let you decide this; ask one of its approvers.");
    case "not_pending":
      return new ApiError(409, reason, `It is ${status} already; there is nothing to decide.`);
  }
};

/** The same for an approval that does not exist and for one that is not the caller's concern. */
const unknownApproval = () =>
  new ApiError(404, "approval_unknown", "There is no such approval, or it does not concern you.");
