import { Injectable } from "@nestjs/common";
import type { RevocationCause } from "@countersign/contracts";
import { DataSource } from "typeorm";
import { SessionRequests } from "./session-requests.js";
import { SessionsView } from "./views/sessions.view.js";

/** What of the authorization server's memory would let a person, or a client in their name, go on. */
const models = [
  "Session",
  "Interaction",
  "AuthorizationCode",
  "RefreshToken",
  "Grant",
  "DeviceCode",
  "AskedSession",
];

/** All that one person has here: logins, codes, refresh tokens and sessions. */
@Injectable()
export class PersonSessions {
  constructor(
    private readonly dataSource: DataSource,
    private readonly sessions: SessionsView,
    private readonly requests: SessionRequests,
  ) {}

  /** Ends everything at once. Whatever was on its way meanwhile finds neither a login nor a grant. */
  async end(principalId: string, cause: RevocationCause, reason: string): Promise<void> {
    await this.dataSource.query(
      `DELETE FROM "identity".oidc_models WHERE payload->>'accountId' = $1 AND model = ANY ($2)`,
      [principalId, models],
    );
    const ids = this.sessions.openOf(principalId);
    await Promise.all(ids.map((sessionId) => this.requests.revoke(sessionId, reason, cause)));
  }
}
