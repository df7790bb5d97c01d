import { createHash } from "node:crypto";
import { Inject, Injectable } from "@nestjs/common";
import type { ApprovalGranted, Principal, RevealView } from "@countersign/contracts";
import { ApiError, Clock, Outbox } from "@countersign/service-kit";
import { DataSource, type EntityManager } from "typeorm";
import { PolicyView } from "../policy/policy.view.js";
import type { StoredOriginal } from "./vault.store.js";

/** MCP allows no colon in a tool's name, so no tool of a server can be taken for it in a policy. */
export const revealTool = "vault:reveal";

const pendingMax = 20;
/** Once approved, it can be shown for so long. */
const shownWithinMs = 15 * 60_000;

export interface Approved {
  readonly originalId: string;
  readonly justification: string;
  readonly approvedBy: Pick<Principal, "id" | "name">;
}

type Settled = "denied" | "expired" | "withdrawn";

/** Reveals that a second person has to approve. The approval service asks; this remembers what is asked for. */
@Injectable()
export class RevealRequests {
  constructor(
    @Inject(DataSource) private readonly dataSource: DataSource,
    @Inject(PolicyView) private readonly policy: PolicyView,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  async request(original: StoredOriginal, requester: Principal, justification: string): Promise<RevealView> {
    const { originalId, callId, sessionId, endpoint, direction } = original;
    const now = this.clock.now();
    const revealId = this.clock.newId();
    const expiresAt = new Date(now.getTime() + this.policy.approvalSeconds(endpoint) * 1_000).toISOString();
    const digest = digestOf(originalId, requester.id, justification);
    await this.dataSource.transaction(async (manager) => {
      await this.#assertRoom(manager, requester);
      await manager.query(
        `INSERT INTO masking.reveals (reveal_id, original_id, requester_id, justification, digest, status, expires_at)
         VALUES ($1, $2, $3, $4, $5, 'pending', $6)`,
        [revealId, originalId, requester.id, justification, digest, expiresAt],
      );
      await this.outbox.add(manager, {
        topic: "approval.commands",
        event: {
          id: this.clock.newId(),
          type: "RequestApproval",
          source: "masking",
          subject: revealId,
          time: now.toISOString(),
          data: {
            approvalId: revealId,
            kind: "reveal",
            callId,
            sessionId,
            requester,
            client: { id: "countersign-vault", name: "Countersign vault" },
            endpoint,
            tool: revealTool,
            arguments: JSON.stringify({ original: originalId, direction, call: callId }),
            requestDigest: digest,
            justification,
            expiresAt,
          },
        },
      });
    });
    this.outbox.wake();
    return { revealId, originalId, status: "pending", expiresAt };
  }

  async granted(manager: EntityManager, { approvalId, requestDigest, by }: ApprovalGranted): Promise<void> {
    await manager.query(
      `UPDATE masking.reveals SET status = 'granted', approved_by = $3, expires_at = $4
       WHERE reveal_id = $1 AND digest = $2 AND status = 'pending' AND requester_id <> $5`,
      [
        approvalId,
        requestDigest,
        JSON.stringify({ id: by.id, ...(by.name === undefined ? {} : { name: by.name }) }),
        new Date(this.clock.now().getTime() + shownWithinMs),
        by.id,
      ],
    );
  }

  async settled(manager: EntityManager, revealId: string, status: Settled): Promise<void> {
    await manager.query(
      "UPDATE masking.reveals SET status = $2 WHERE reveal_id = $1 AND status = 'pending'",
      [revealId, status],
    );
  }

  async status(revealId: string, by: Principal): Promise<RevealView> {
    const row = await this.#read(this.dataSource.manager, revealId, by);
    return viewOf(row, this.clock.now());
  }

  /**
   * Takes the one showing there is, in a transaction: where what follows fails, nothing was shown and it can be asked
   * for again.
   */
  claim<T>(revealId: string, by: Principal, show: (approved: Approved) => Promise<T>): Promise<T> {
    return this.dataSource.transaction(async (manager) => {
      const row = await this.#read(manager, revealId, by, "FOR UPDATE");
      const { status } = viewOf(row, this.clock.now());
      if (status !== "granted" || row.approved_by === null) throw notShown(status);
      await manager.query("UPDATE masking.reveals SET status = 'shown' WHERE reveal_id = $1", [revealId]);
      return show({
        originalId: row.original_id,
        justification: row.justification,
        approvedBy: row.approved_by,
      });
    });
  }

  async #read(manager: EntityManager, revealId: string, by: Principal, lock = ""): Promise<Row> {
    const rows: Row[] = await manager.query(
      `SELECT * FROM masking.reveals WHERE reveal_id = $1 AND requester_id = $2 ${lock}`,
      [revealId, by.id],
    );
    const [row] = rows;
    if (!row) throw new ApiError(404, "reveal_unknown", "You have asked for no reveal under this id.");
    return row;
  }

  async #assertRoom(manager: EntityManager, requester: Principal): Promise<void> {
    const [{ count }]: [{ count: string }] = await manager.query(
      "SELECT count(*) AS count FROM masking.reveals WHERE requester_id = $1 AND status = 'pending' AND expires_at > $2",
      [requester.id, this.clock.now()],
    );
    if (Number(count) >= pendingMax) {
      throw new ApiError(
        429,
        "too_many_reveals",
        "Too many of your reveals wait for a second person already.",
      );
    }
  }
}

interface Row {
  readonly reveal_id: string;
  readonly original_id: string;
  readonly justification: string;
  readonly status: RevealView["status"];
  readonly expires_at: Date;
  readonly approved_by: Pick<Principal, "id" | "name"> | null;
}

const viewOf = (row: Row, now: Date): RevealView => {
  const isOpen = row.status === "pending" || row.status === "granted";
  return {
    revealId: row.reveal_id,
    originalId: row.original_id,
    status: isOpen && row.expires_at <= now ? "expired" : row.status,
    expiresAt: row.expires_at.toISOString(),
  };
};

/** What the approval is bound to: this original, this person, this reason. */
const digestOf = (...parts: string[]): string =>
  createHash("sha256")
    .update(JSON.stringify(["reveal v1", ...parts]))
    .digest("hex");

function notShown(status: RevealView["status"]): ApiError {
  switch (status) {
    case "pending":
      return new ApiError(409, "reveal_pending", "A second person has not approved this reveal yet.");
    case "denied":
      return new ApiError(403, "reveal_denied", "A second person refused this reveal.");
    case "granted":
    case "shown":
    case "expired":
    case "withdrawn":
      return new ApiError(
        410,
        `reveal_${status}`,
        "This reveal is over; an original is shown once, within its term. Ask for it again.",
      );
  }
}
