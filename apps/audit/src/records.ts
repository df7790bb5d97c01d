import type { EventMessage, RecordView } from "@countersign/contracts";
import type { LogRecord } from "./domain/log-record.js";
import { searchColumnsOf } from "./domain/search-columns.js";
import type { Queries } from "./tree.js";

/** Leaf hashes of those of the events that the log already has, by event id. */
export async function knownLeaves(
  queries: Queries,
  eventIds: readonly string[],
): Promise<Map<string, string>> {
  const rows: { event_id: string; leaf_hash: Buffer }[] = await queries.query(
    "SELECT event_id, leaf_hash FROM audit.records WHERE event_id = ANY($1::text[])",
    [eventIds],
  );
  return new Map(rows.map((row) => [row.event_id, row.leaf_hash.toString("hex")]));
}

/** Inserts records under the indexes from `firstIndex` on. */
export async function insertRecords(
  queries: Queries,
  firstIndex: number,
  records: readonly LogRecord[],
): Promise<void> {
  const columns = records.map(({ event }) => searchColumnsOf(event));
  await queries.query(
    `INSERT INTO audit.records (log_index, event_id, leaf_hash, topic, kafka_partition, kafka_offset, type, source,
       subject, time, cause, data, data_bytes, session_id, principal_id, endpoint, tool, method, outcome)
     SELECT log_index, event_id, decode(leaf_hash, 'hex'), topic, kafka_partition, kafka_offset, type, source,
       subject, time, cause, data, octet_length(data), session_id, principal_id, endpoint, tool, method, outcome
     FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::bigint[], $7::text[],
       $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[],
       $16::text[], $17::text[], $18::text[])
     AS record (log_index, event_id, leaf_hash, topic, kafka_partition, kafka_offset, type, source, subject, time,
       cause, data, session_id, principal_id, endpoint, tool, method, outcome)`,
    [
      records.map((_, position) => firstIndex + position),
      records.map(({ event }) => event.id),
      records.map(({ leafHash }) => Buffer.from(leafHash).toString("hex")),
      records.map(({ place }) => place.topic),
      records.map(({ place }) => place.partition),
      records.map(({ place }) => place.offset),
      records.map(({ event }) => event.type),
      records.map(({ event }) => event.source),
      records.map(({ event }) => event.subject),
      records.map(({ event }) => event.time),
      records.map(({ event }) => event.cause ?? null),
      records.map(({ dataText }) => dataText),
      columns.map(({ sessionId }) => sessionId ?? null),
      columns.map(({ principalId }) => principalId ?? null),
      columns.map(({ endpoint }) => endpoint ?? null),
      columns.map(({ tool }) => tool ?? null),
      columns.map(({ method }) => method ?? null),
      columns.map(({ outcome }) => outcome ?? null),
    ],
  );
}

/** What a page of records is chosen by; every given condition has to hold. */
export interface RecordFilter {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly principal?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly tool?: string | undefined;
  readonly method?: string | undefined;
  readonly type?: string | undefined;
  readonly outcome?: string | undefined;
  readonly session?: string | undefined;
  /** Keyed fingerprints of a card, in hex; records that hold it under any of them. */
  readonly cards?: readonly string[] | undefined;
  /** Only records below this index. */
  readonly before?: number | undefined;
}

export interface Page {
  readonly records: RecordView[];
  /** Log index to go on after; absent at the end. */
  readonly next?: number;
}

/** A page never holds more than this much data, unless a single record does. */
const pageBytesMax = 32 * 1024 * 1024;

/** Records after an index (from the beginning for -1), in the order of the log. */
export async function readPage(
  queries: Queries,
  filter: RecordFilter,
  { after, limit }: { after: number; limit: number },
): Promise<Page> {
  const { condition, values } = conditionOf(filter, [after, limit, pageBytesMax]);
  const rows: (RecordRow & { found: string })[] = await queries.query(
    `SELECT * FROM (
       SELECT page.*, count(*) OVER () AS found, sum(data_bytes) OVER (ORDER BY log_index) AS bytes_so_far
       FROM (SELECT * FROM audit.records WHERE log_index > $1 ${condition} ORDER BY log_index LIMIT $2) AS page
     ) AS measured
     WHERE bytes_so_far - data_bytes < $3 ORDER BY log_index`,
    values,
  );
  const records = rows.map(viewOf);
  const found = Number(rows[0]?.found ?? 0);
  const last = records.at(-1);
  const isWhole = last === undefined || (found < limit && rows.length === found);
  return isWhole ? { records } : { records, next: last.logIndex };
}

export async function readRecord(queries: Queries, logIndex: number): Promise<RecordView | undefined> {
  const { records } = await readPage(queries, { before: logIndex + 1 }, { after: logIndex - 1, limit: 1 });
  return records[0];
}

/** How many records a filter finds, counted up to `countMax`. */
export async function countRecords(
  queries: Queries,
  filter: RecordFilter,
  countMax: number,
): Promise<number> {
  const { condition, values } = conditionOf(filter, [countMax]);
  const rows: { count: string }[] = await queries.query(
    `SELECT count(*) AS count FROM (SELECT 1 FROM audit.records WHERE true ${condition} LIMIT $1) AS found`,
    values,
  );
  return Number(rows[0]?.count ?? 0);
}

/** The endpoint that a session is about, once any of its records names it. */
export async function endpointOfSession(queries: Queries, sessionId: string): Promise<string | undefined> {
  const rows: { endpoint: string }[] = await queries.query(
    `SELECT endpoint FROM audit.records WHERE session_id = $1 AND endpoint IS NOT NULL ORDER BY log_index LIMIT 1`,
    [sessionId],
  );
  return rows[0]?.endpoint;
}

export async function endpointOfRecord(queries: Queries, logIndex: number): Promise<string | undefined> {
  const rows: { endpoint: string | null }[] = await queries.query(
    "SELECT endpoint FROM audit.records WHERE log_index = $1",
    [logIndex],
  );
  return rows[0]?.endpoint ?? undefined;
}

/** The event under the record's leaf, without what the log added. */
export const eventOf = ({
  id: eventId,
  type,
  source,
  subject,
  time: at,
  cause,
  data,
}: RecordView): EventMessage => ({
  id: eventId,
  type,
  source: source as EventMessage["source"],
  subject,
  time: at,
  ...(cause === undefined ? {} : { cause }),
  data,
});

const comparisons = {
  from: "time >= ?",
  to: "time <= ?",
  principal: "principal_id = ?",
  endpoint: "endpoint = ?",
  tool: "tool = ?",
  method: "method = ?",
  type: "type = ?",
  outcome: "outcome = ?",
  session: "session_id = ?",
  cards: `log_index IN (SELECT log_index FROM audit.card_accesses
    WHERE fingerprint IN (SELECT decode(card, 'hex') FROM unnest(?::text[]) AS card))`,
  before: "log_index < ?",
} as const satisfies Record<keyof RecordFilter, string>;

function conditionOf(filter: RecordFilter, first: unknown[]): { condition: string; values: unknown[] } {
  const values = [...first];
  let condition = "";
  for (const [name, comparison] of Object.entries(comparisons)) {
    const value = filter[name as keyof RecordFilter];
    if (value === undefined) continue;
    values.push(value);
    condition += ` AND ${comparison.replace("?", `$${values.length}`)}`;
  }
  return { condition, values };
}

interface RecordRow {
  readonly log_index: string;
  readonly event_id: string;
  readonly leaf_hash: Buffer;
  readonly topic: string;
  readonly kafka_partition: number;
  readonly kafka_offset: string;
  readonly type: string;
  readonly source: string;
  readonly subject: string;
  readonly time: string;
  readonly cause: string | null;
  readonly data: string;
}

const viewOf = (row: RecordRow): RecordView => ({
  logIndex: Number(row.log_index),
  leafHash: row.leaf_hash.toString("hex"),
  topic: row.topic,
  partition: row.kafka_partition,
  offset: row.kafka_offset,
  id: row.event_id,
  type: row.type,
  source: row.source,
  subject: row.subject,
  time: row.time,
  ...(row.cause === null ? {} : { cause: row.cause }),
  data: dataOf(row.data),
});

/** Only valid JSON is ever inserted; what is not was altered since, and leads to no checkpoint. */
function dataOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
