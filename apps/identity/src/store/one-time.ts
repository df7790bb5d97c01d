import { createHash } from "node:crypto";
import type { DataSource } from "typeorm";

const table = `"identity".oidc_models`;

/** Things that count once, however many replicas they are shown to: found by the SHA-256 of their id. */
export class OneTime {
  constructor(
    private readonly dataSource: DataSource,
    private readonly model: string,
  ) {}

  /** Keeps `value` for a while; false where something is kept under that id already. */
  async put(id: string, value: object, seconds: number): Promise<boolean> {
    const rows = await this.dataSource.query<unknown[]>(
      `INSERT INTO ${table} (model, id_sha256, payload, expires_at)
       VALUES ($1, $2, $3, now() + make_interval(secs => $4))
       ON CONFLICT (model, id_sha256) DO NOTHING RETURNING 1`,
      [this.model, digest(id), JSON.stringify(value), seconds],
    );
    return rows.length === 1;
  }

  async find(id: string): Promise<unknown> {
    const rows = await this.dataSource.query<{ payload: unknown }[]>(
      `SELECT payload FROM ${table} WHERE model = $1 AND id_sha256 = $2 AND expires_at > now()`,
      [this.model, digest(id)],
    );
    return rows[0]?.payload;
  }

  /** What is kept, and nothing the next time. Of two that come at the same moment, one gets it. */
  async take(id: string): Promise<unknown> {
    const [rows] = await this.dataSource.query<[{ payload: unknown }[], number]>(
      `DELETE FROM ${table} WHERE model = $1 AND id_sha256 = $2 AND expires_at > now() RETURNING payload`,
      [this.model, digest(id)],
    );
    return rows[0]?.payload;
  }
}

const digest = (id: string): Buffer => createHash("sha256").update(id).digest();
