import { createHash } from "node:crypto";
import { Injectable } from "@nestjs/common";
import { DataSource } from "typeorm";

/** How long the grants of sessions last, and the refresh tokens that were issued for them. */
@Injectable()
export class GrantTerms {
  constructor(private readonly dataSource: DataSource) {}

  /** Moves the end of a session's grant and refresh tokens. None comes to life again that was taken away. */
  async extend(sessionId: string, until: Date): Promise<void> {
    await this.dataSource.query(
      `UPDATE "identity".oidc_models
       SET expires_at = $3, payload = jsonb_set(payload, '{exp}', to_jsonb($4::bigint))
       WHERE ((model = 'Grant' AND id_sha256 = $2) OR (model = 'RefreshToken' AND grant_id = $1)) AND expires_at < $3 AND $3 > now()`,
      [
        sessionId,
        createHash("sha256").update(sessionId).digest(),
        until,
        Math.floor(until.getTime() / 1_000),
      ],
    );
  }
}
