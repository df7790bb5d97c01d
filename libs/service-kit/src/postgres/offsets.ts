import type { EntityManager } from "typeorm";

interface Place {
  readonly schema: string;
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
}

/** The next offset to read, its row locked until the transaction ends; undefined where nothing was read yet. */
export async function lockOffset(manager: EntityManager, place: Place): Promise<bigint | undefined> {
  const { schema, group, topic, partition } = place;
  const lock = (): Promise<{ next_offset: string | null }[]> =>
    manager.query(
      `SELECT next_offset FROM "${schema}".consumer_offsets
       WHERE consumer_group = $1 AND topic = $2 AND partition = $3 FOR UPDATE`,
      [group, topic, partition],
    );
  let [row] = await lock();
  if (!row) {
    await manager.query(
      `INSERT INTO "${schema}".consumer_offsets (consumer_group, topic, partition, next_offset)
       VALUES ($1, $2, $3, NULL) ON CONFLICT DO NOTHING`,
      [group, topic, partition],
    );
    [row] = await lock();
  }
  const next = row?.next_offset;
  return next === null || next === undefined ? undefined : BigInt(next);
}

export async function storeOffset(
  manager: EntityManager,
  place: Place & { readonly next: bigint },
): Promise<void> {
  const { schema, group, topic, partition, next } = place;
  await manager.query(
    `UPDATE "${schema}".consumer_offsets SET next_offset = $4
     WHERE consumer_group = $1 AND topic = $2 AND partition = $3`,
    [group, topic, partition, next.toString()],
  );
}
