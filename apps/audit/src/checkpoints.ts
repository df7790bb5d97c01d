import { Inject, Injectable } from "@nestjs/common";
import { type CheckpointSigned, CountersignError } from "@countersign/contracts";
import { OutsideTree, signCheckpoint } from "@countersign/evidence";
import { Clock, Health, Outbox } from "@countersign/service-kit";
import { DataSource, type EntityManager } from "typeorm";
import { AuditMetrics } from "./audit.metrics.js";
import { CheckpointKey } from "./checkpoint-key.js";
import { frontierAt, type Queries, readFrontier } from "./tree.js";

/** The log no longer is what was signed. Nothing new is signed until somebody has looked. */
export class LogDiverged extends CountersignError {
  constructor(treeSize: number) {
    super(
      "log_diverged",
      `The stored log no longer leads to its signed checkpoint of ${treeSize} records. Compare the database with audit.checkpoints and a backup before going on. If the checkpoint key was changed, name its verifier key in PAST_VERIFIER_KEYS.`,
    );
  }
}

/** Signs the head of the log whenever it has grown; first it makes sure that what was signed before still stands. */
@Injectable()
export class Checkpoints {
  #diverged: LogDiverged | undefined;

  constructor(
    @Inject(DataSource) private readonly dataSource: DataSource,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(CheckpointKey) private readonly key: CheckpointKey,
    @Inject(AuditMetrics) private readonly metrics: AuditMetrics,
    @Inject(Health) health: Health,
  ) {
    health.register("log", () => this.#diverged?.message);
  }

  /** Errors: LogDiverged. */
  async signHead(): Promise<void> {
    const signed = await this.dataSource.transaction((manager) => this.#sign(manager));
    if (signed) this.outbox.wake();
  }

  /** The newest checkpoint, its signature verified. Errors: LogDiverged. */
  latest(): Promise<CheckpointSigned | undefined> {
    return this.#latest(this.dataSource);
  }

  async #sign(manager: EntityManager): Promise<boolean> {
    const [latest, head] = [await this.#latest(manager), await readFrontier(manager)];
    if (latest) await this.#assertStands(manager, latest, head.size);
    if (head.size <= (latest?.treeSize ?? 0)) return false;
    const { origin, privateKey } = this.key;
    const now = this.clock.now().toISOString();
    const checkpoint = {
      origin,
      treeSize: head.size,
      rootHash: head.rootHex(),
      signedAt: now,
      note: signCheckpoint({ origin, size: head.size, root: head.root(), privateKey }),
    };
    const inserted: unknown[] = await manager.query(
      `INSERT INTO audit.checkpoints (tree_size, origin, root_hash, signed_at, note)
       VALUES ($1, $2, decode($3, 'hex'), $4, $5) ON CONFLICT DO NOTHING RETURNING tree_size`,
      [head.size, origin, checkpoint.rootHash, now, checkpoint.note],
    );
    if (inserted.length === 0) return false;
    await this.outbox.add(manager, {
      topic: "audit.checkpoints",
      event: {
        id: this.clock.newId(),
        type: "CheckpointSigned",
        source: "audit",
        subject: origin,
        time: now,
        data: checkpoint,
      },
    });
    this.metrics.treeSize.set(head.size);
    return true;
  }

  async #latest(queries: Queries): Promise<CheckpointSigned | undefined> {
    const latest = await newestRow(queries);
    if (!latest) return undefined;
    const { origin, size, root } = this.key.open(latest.note) ?? {};
    const isSigned =
      root !== undefined &&
      size === latest.treeSize &&
      origin === latest.origin &&
      Buffer.from(root).toString("hex") === latest.rootHash;
    if (isSigned) return latest;
    this.#diverged = new LogDiverged(latest.treeSize);
    throw this.#diverged;
  }

  async #assertStands(queries: Queries, latest: CheckpointSigned, size: number): Promise<void> {
    const stands = size >= latest.treeSize && (await rootAt(queries, latest.treeSize)) === latest.rootHash;
    this.#diverged = stands ? undefined : new LogDiverged(latest.treeSize);
    if (this.#diverged) throw this.#diverged;
  }
}

/** Undefined where nodes of the tree are missing. */
async function rootAt(queries: Queries, size: number): Promise<string | undefined> {
  try {
    return (await frontierAt(queries, size)).rootHex();
  } catch (error) {
    if (error instanceof OutsideTree) return undefined;
    throw error;
  }
}

async function newestRow(queries: Queries): Promise<CheckpointSigned | undefined> {
  const rows: { tree_size: string; origin: string; root_hash: Buffer; signed_at: string; note: string }[] =
    await queries.query("SELECT * FROM audit.checkpoints ORDER BY tree_size DESC LIMIT 1");
  const [row] = rows;
  return (
    row && {
      origin: row.origin,
      treeSize: Number(row.tree_size),
      rootHash: row.root_hash.toString("hex"),
      signedAt: row.signed_at,
      note: row.note,
    }
  );
}
