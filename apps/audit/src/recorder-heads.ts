import type { Recorder } from "@countersign/contracts";
import type { ChainState } from "@countersign/evidence";
import type { Queries } from "./tree.js";

type Epoch = Pick<Recorder, "id" | "epoch">;

export const epochKey = ({ id, epoch }: Epoch): string => JSON.stringify([id, epoch]);

/** The newest record of each of the recorders' epochs, as far as any was seen. */
export async function readHeads(
  queries: Queries,
  epochs: readonly Epoch[],
): Promise<Map<string, ChainState>> {
  if (epochs.length === 0) return new Map();
  const rows: { recorder_id: string; epoch: string; seq: string; hash: string; stopped: boolean }[] =
    await queries.query(
      `SELECT head.* FROM audit.recorder_heads AS head
       JOIN unnest($1::text[], $2::text[]) AS wanted (recorder_id, epoch) USING (recorder_id, epoch)`,
      [epochs.map(({ id }) => id), epochs.map(({ epoch }) => epoch)],
    );
  return new Map(
    rows.map(({ recorder_id: recorderId, epoch, seq, hash, stopped }) => [
      epochKey({ id: recorderId, epoch }),
      { recorderId, epoch, seq: Number(seq), hash, stopped },
    ]),
  );
}

export async function storeHeads(queries: Queries, heads: readonly ChainState[]): Promise<void> {
  if (heads.length === 0) return;
  await queries.query(
    `INSERT INTO audit.recorder_heads (recorder_id, epoch, seq, hash, stopped)
     SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::boolean[])
     ON CONFLICT (recorder_id, epoch)
     DO UPDATE SET seq = excluded.seq, hash = excluded.hash, stopped = excluded.stopped`,
    [
      heads.map(({ recorderId }) => recorderId),
      heads.map(({ epoch }) => epoch),
      heads.map(({ seq }) => seq),
      heads.map(({ hash }) => hash),
      heads.map(({ stopped }) => stopped),
    ],
  );
}
