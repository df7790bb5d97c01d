import { Frontier, type GetNode, OutsideTree, type TreeNode } from "@countersign/evidence";
import type { EntityManager } from "typeorm";

/** Whatever runs a query: the pool, or a transaction. */
export type Queries = Pick<EntityManager, "query">;

/** How many records the log has. */
export async function treeSize(queries: Queries): Promise<number> {
  const rows: { index: string }[] = await queries.query(
    "SELECT index FROM audit.tree_nodes WHERE level = 0 ORDER BY index DESC LIMIT 1",
  );
  return rows[0] === undefined ? 0 : Number(rows[0].index) + 1;
}

/**
 * The right edge of the tree as it was at a size, put together from the nodes themselves: there is no second place that
 * could disagree with them.
 */
export async function frontierAt(queries: Queries, size: number): Promise<Frontier> {
  if (size === 0) return Frontier.empty();
  const nodes = await readNodes(queries, completeSubtrees(size));
  return Frontier.from({ size, hashes: nodes.map((hash) => Buffer.from(hash).toString("hex")) });
}

export const readFrontier = async (queries: Queries): Promise<Frontier> =>
  frontierAt(queries, await treeSize(queries));

export async function insertNodes(queries: Queries, nodes: readonly TreeNode[]): Promise<void> {
  await queries.query(
    `INSERT INTO audit.tree_nodes (level, index, hash)
     SELECT level, index, decode(hash, 'hex')
     FROM unnest($1::smallint[], $2::bigint[], $3::text[]) AS node (level, index, hash)`,
    [
      nodes.map(({ level }) => level),
      nodes.map(({ index }) => index),
      nodes.map(({ hash }) => Buffer.from(hash).toString("hex")),
    ],
  );
}

/**
 * What proofs are made with. Nodes that are asked for in the same turn of the event loop are read in one query, so that
 * the proofs of a page of records cost as many queries as the tree has levels, at the most.
 */
export function nodeReader(queries: Queries): GetNode {
  let waiting: { place: Place; settle: (read: Promise<Uint8Array>) => void }[] = [];
  const readWaiting = (): void => {
    const asked = waiting;
    waiting = [];
    const read = readNodes(
      queries,
      asked.map(({ place }) => place),
    );
    asked.forEach(({ settle }, position) => settle(read.then((hashes) => hashes[position] as Uint8Array)));
  };
  return (level, index) =>
    new Promise((settle) => {
      if (waiting.length === 0) setImmediate(readWaiting);
      waiting.push({ place: { level, index }, settle });
    });
}

type Place = Pick<TreeNode, "level" | "index">;

async function readNodes(queries: Queries, places: readonly Place[]): Promise<Uint8Array[]> {
  const rows: { hash: Buffer }[] = await queries.query(
    `SELECT node.hash
     FROM unnest($1::smallint[], $2::bigint[]) WITH ORDINALITY AS place (level, index, position)
     JOIN audit.tree_nodes AS node ON node.level = place.level AND node.index = place.index
     ORDER BY place.position`,
    [places.map(({ level }) => level), places.map(({ index }) => index)],
  );
  if (rows.length !== places.length) throw missing();
  return rows.map(({ hash }) => Uint8Array.from(hash));
}

/** The complete subtrees that make up a tree, one for each bit set in its size, the largest first. */
export function completeSubtrees(size: number): Place[] {
  const places: Place[] = [];
  let level = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2), level += 1) {
    if (rest % 2 === 1) places.unshift({ level, index: rest - 1 });
  }
  return places;
}

const missing = (): OutsideTree =>
  new OutsideTree("A node of the log's tree is missing. Compare the database with the newest checkpoint.");
