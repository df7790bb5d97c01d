import { createHash } from "node:crypto";
import { type Adapter, type AdapterPayload, errors } from "oidc-provider";
import type { DataSource } from "typeorm";
import type { Seals } from "../seals.js";

/** A client repeats its refresh token when the answer was lost on the way; for this long that is not theft. */
export const repeatSecondsMax = 10;
/** A self-registered client that nobody used for this long is forgotten. */
const clientDaysMax = 90;
/** One that nobody used at all was made by mistake, or by somebody who makes many. */
const newClientDaysMax = 1;

const purpose = "device code";

const table = `"identity".oidc_models`;

/** How often a row of a model may be consumed. A refresh token: once, and once more as a repetition. */
const usesMax = (model: string): number => (model === "RefreshToken" ? 2 : 1);

/**
 * Keeps one model of the authorization server in PostgreSQL, shared by all replicas. Ids that are secrets (codes,
 * refresh tokens, login sessions, interactions) are stored as their SHA-256 alone.
 */
export class OidcStore implements Adapter {
  constructor(
    private readonly dataSource: DataSource,
    private readonly model: string,
    private readonly seals?: Pick<Seals, "lock" | "unlock">,
  ) {}

  async upsert(id: string, payload: AdapterPayload, expiresInSeconds?: number): Promise<void> {
    const seconds = this.model === "Client" ? newClientDaysMax * 86_400 : expiresInSeconds;
    await this.dataSource.query(
      `INSERT INTO ${table} (model, id_sha256, payload, grant_id, uid_sha256, user_code, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7))
       ON CONFLICT (model, id_sha256) DO UPDATE SET payload = excluded.payload, grant_id = excluded.grant_id,
         uid_sha256 = excluded.uid_sha256, user_code = excluded.user_code, expires_at = excluded.expires_at`,
      [
        this.model,
        digest(id),
        JSON.stringify(this.#sealed(id, payload)),
        payload.grantId ?? null,
        payload.uid === undefined ? null : digest(payload.uid),
        payload.userCode ?? null,
        seconds ?? null,
      ],
    );
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    const row = await this.#findBy("id_sha256 = $2", digest(id));
    if (row && this.model === "Client") await this.#keepClient(id);
    return row && withId(id, this.#opened(row));
  }

  /** The payload comes back without its id, which only the cookie knows. */
  findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return this.#findBy("uid_sha256 = $2", digest(uid));
  }

  async findByUserCode(userCode: string): Promise<AdapterPayload | undefined> {
    const row = await this.#findBy("user_code = $2", userCode);
    return row && this.#opened(row);
  }

  /** Uses the row up. Of two that come at the same moment, one is refused here. */
  async consume(id: string): Promise<void> {
    const rows = await this.dataSource.query<[unknown[], number]>(
      `UPDATE ${table} SET uses = uses + 1, consumed_at = coalesce(consumed_at, now())
       WHERE model = $1 AND id_sha256 = $2 AND uses < $3`,
      [this.model, digest(id), usesMax(this.model)],
    );
    if (rows[1] !== 1) throw new errors.InvalidGrant("already consumed");
  }

  async destroy(id: string): Promise<void> {
    await this.dataSource.query(`DELETE FROM ${table} WHERE model = $1 AND id_sha256 = $2`, [
      this.model,
      digest(id),
    ]);
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    await this.dataSource.query(`DELETE FROM ${table} WHERE model = $1 AND grant_id = $2`, [
      this.model,
      grantId,
    ]);
  }

  /**
   * The payload without what would open a door. A device code is the one secret that has to be found by another one, the
   * code that the person types in; so it is kept, locked.
   */
  #sealed(id: string, payload: AdapterPayload): AdapterPayload {
    const kept = withoutId(id, payload);
    if (this.model === "DeviceCode") return { ...kept, lockedCode: this.seals?.lock(purpose, id) };
    const { deviceCode, ...rest } = kept;
    return deviceCode === undefined ? kept : { ...rest, lockedCode: this.seals?.lock(purpose, deviceCode) };
  }

  #opened({ lockedCode, ...row }: AdapterPayload): AdapterPayload {
    if (lockedCode === undefined) return row;
    const secret = this.seals?.unlock(purpose, lockedCode);
    if (typeof secret !== "string") return row;
    return this.model === "DeviceCode" ? { ...row, jti: secret } : { ...row, deviceCode: secret };
  }

  async #findBy(condition: string, value: unknown): Promise<AdapterPayload | undefined> {
    const rows = await this.dataSource.query<{ payload: AdapterPayload; consumed: boolean }[]>(
      `SELECT payload,
         uses >= $3 OR coalesce(consumed_at < now() - make_interval(secs => $4), false) AS consumed
       FROM ${table} WHERE model = $1 AND ${condition} AND (expires_at IS NULL OR expires_at > now())`,
      [this.model, value, usesMax(this.model), repeatSecondsMax],
    );
    const [row] = rows;
    return row && { ...row.payload, ...(row.consumed ? { consumed: true } : {}) };
  }

  async #keepClient(id: string): Promise<void> {
    await this.dataSource.query(
      `UPDATE ${table} SET expires_at = now() + make_interval(days => $3)
       WHERE model = $1 AND id_sha256 = $2 AND expires_at < now() + make_interval(days => $3 - 1)`,
      [this.model, digest(id), clientDaysMax],
    );
  }
}

/** Refuses another registered client where there are too many already, from however many addresses they came. */
export async function requireRoomForClient(dataSource: DataSource, clientsMax: number): Promise<void> {
  const [row] = await dataSource.query<{ clients: number }[]>(
    `SELECT count(*)::int AS clients FROM ${table} WHERE model = 'Client' AND expires_at > now()`,
  );
  if (row && row.clients >= clientsMax)
    throw new errors.TemporarilyUnavailable("too many clients are registered; try again later");
}

/** Removes what has expired. */
export async function removeExpired(dataSource: DataSource): Promise<void> {
  await dataSource.query(`DELETE FROM ${table} WHERE expires_at < now() - interval '1 minute'`);
}

const digest = (id: string): Buffer => createHash("sha256").update(id).digest();

const idPlace = "{id}";

/** The payload repeats its own id, and an interaction also the id of the login session it belongs to. */
function withoutId(id: string, payload: AdapterPayload): AdapterPayload {
  const { jti: _, ...rest } = payload;
  const { session, returnTo } = rest;
  return {
    ...rest,
    ...(isRecord(session) ? { session: { ...session, cookie: undefined } } : {}),
    ...(typeof returnTo === "string" ? { returnTo: returnTo.replace(id, idPlace) } : {}),
  };
}

function withId(id: string, stored: AdapterPayload): AdapterPayload {
  const { returnTo } = stored;
  return {
    ...stored,
    ...("kind" in stored ? { jti: id } : {}),
    ...(typeof returnTo === "string" ? { returnTo: returnTo.replace(idPlace, id) } : {}),
  };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;
