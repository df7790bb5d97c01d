import { Inject, Injectable } from "@nestjs/common";
import type { Principal, SessionView } from "@countersign/contracts";
import { ApiError, Outbox } from "@countersign/service-kit";
import { DataSource, LessThan } from "typeorm";
import { revokeSession } from "./domain/end-session.js";
import { ManySessions } from "./many-sessions.js";
import { Permissions } from "./permissions.js";
import { SessionRow } from "./session.entity.js";
import { sessionOf, viewOf } from "./session-row.js";
import { SessionStore } from "./session-store.js";
import type { RevokeManyRequest, SessionQuery } from "./sessions.requests.js";

/** Sessions as people see them: their own, and all of them for administrators. */
@Injectable()
export class Sessions {
  constructor(
    @Inject(DataSource) private readonly dataSource: DataSource,
    @Inject(SessionStore) private readonly store: SessionStore,
    @Inject(ManySessions) private readonly many: ManySessions,
    @Inject(Permissions) private readonly permissions: Permissions,
    @Inject(Outbox) private readonly outbox: Outbox,
  ) {}

  async list(caller: Principal, query: SessionQuery): Promise<SessionView[]> {
    const principalId = (await this.permissions.isAdministrator(caller)) ? query.principal : caller.id;
    const rows = await this.dataSource.manager.find(SessionRow, {
      where: {
        ...(principalId === undefined ? {} : { principalId }),
        ...(query.status === undefined ? {} : { status: query.status }),
        ...(query.endpoint === undefined ? {} : { endpoint: query.endpoint }),
        ...(query.before === undefined ? {} : { sessionId: LessThan(query.before) }),
      },
      order: { sessionId: "DESC" },
      take: query.limit,
    });
    return rows.map(viewOfRow);
  }

  async get(caller: Principal, sessionId: string): Promise<SessionView> {
    const row = await this.dataSource.manager.findOneBy(SessionRow, { sessionId });
    if (!row || !(await this.#mayManage(caller, row))) throw unknownSession();
    return viewOfRow(row);
  }

  async revoke(caller: Principal, sessionId: string, reason: string): Promise<SessionView> {
    const { principal } = await this.get(caller, sessionId);
    const by = byOf(caller);
    const cause = principal.id === caller.id ? "person" : "administrator";
    const { session, events } = await this.dataSource.transaction((manager) =>
      this.store.change(manager, sessionId, (session) => revokeSession(session, { by, reason, cause })),
    );
    if (session.status === "unknown") throw unknownSession();
    if (events.length === 0)
      throw new ApiError(
        409,
        "session_ended",
        `The session is ${session.status}; there is nothing to revoke.`,
      );
    this.outbox.wake();
    return viewOf(session);
  }

  /** Ends every session that is meant, and drops the requests that still wait; answers how many. */
  async revokeMany(
    caller: Principal,
    { principal, endpoint, reason }: RevokeManyRequest,
  ): Promise<{ revoked: number }> {
    await this.permissions.requireAdministrator(caller);
    const by = byOf(caller);
    const revoked = await this.many.change({ principalId: principal, endpoint }, (session) =>
      revokeSession(session, { by, reason, cause: "administrator" }),
    );
    return { revoked };
  }

  async #mayManage(caller: Principal, row: SessionRow): Promise<boolean> {
    return row.principalId === caller.id || (await this.permissions.isAdministrator(caller));
  }
}

const viewOfRow = (row: SessionRow): SessionView => {
  const session = sessionOf(row);
  if (session.status === "unknown") throw unknownSession();
  return viewOf(session);
};

/** The same for a session that does not exist and for one that is not the caller's. */
export const unknownSession = () =>
  new ApiError(404, "session_unknown", "There is no such session, or it is somebody else's.");

const byOf = ({ id, name }: Principal) => (name === undefined ? { id } : { id, name });
