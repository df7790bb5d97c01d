import type { CardDataMissed, RecordView } from "@countersign/contracts";
import type { LogRecord } from "./domain/log-record.js";
import { withText } from "./domain/payload-parts.js";
import type { Queries } from "./tree.js";

/** Notes which records the second look has something to say about. */
export async function noteMaskedViews(
  queries: Queries,
  firstIndex: number,
  records: readonly LogRecord[],
): Promise<void> {
  const views = records.flatMap(({ event, quarantined }, position) => {
    if (quarantined || event.type !== "CardDataMissed") return [];
    const { recordId } = event.data as CardDataMissed;
    return [{ recordId, index: firstIndex + position }];
  });
  if (views.length === 0) return;
  await queries.query(
    `INSERT INTO audit.masked_views (event_id, missed_index)
     SELECT * FROM unnest($1::text[], $2::bigint[])`,
    [views.map(({ recordId }) => recordId), views.map(({ index }) => index)],
  );
}

/**
 * Records as people see them: where the second look found card data in a text, its masked form stands in the text's
 * place. The record in the log stays as it is, and so do its digests.
 */
export async function asShown(queries: Queries, records: readonly RecordView[]): Promise<RecordView[]> {
  const views = await viewsOf(queries, records);
  return records.map((record) =>
    (views.get(record.id) ?? []).reduce<RecordView>((shown, { part, view }) => {
      const data = withText(shown.data, part, view.text);
      return data === undefined ? shown : { ...shown, data, remasked: true };
    }, record),
  );
}

/** Records as they are exported: such a text is withheld, so that the record can still be proven by its digest. */
export async function asExported(queries: Queries, records: readonly RecordView[]): Promise<RecordView[]> {
  const views = await viewsOf(queries, records);
  return records.map((record) =>
    (views.get(record.id) ?? []).reduce<RecordView>((shown, { part }) => {
      const data = withText(shown.data, part, null);
      return data === undefined ? shown : { ...shown, data };
    }, record),
  );
}

async function viewsOf(
  queries: Queries,
  records: readonly RecordView[],
): Promise<Map<string, CardDataMissed[]>> {
  const rows: { event_id: string; data: string }[] = await queries.query(
    `SELECT view.event_id, missed.data FROM audit.masked_views AS view
     JOIN audit.records AS missed ON missed.log_index = view.missed_index
     WHERE view.event_id = ANY($1::text[]) ORDER BY view.missed_index`,
    [records.map(({ id }) => id)],
  );
  const views = new Map<string, CardDataMissed[]>();
  for (const { event_id: id, data } of rows) {
    views.set(id, [...(views.get(id) ?? []), JSON.parse(data) as CardDataMissed]);
  }
  return views;
}
