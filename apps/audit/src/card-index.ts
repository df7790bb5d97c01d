import { cardFingerprintsOf } from "./domain/payload-parts.js";
import type { LogRecord } from "./domain/log-record.js";
import type { Queries } from "./tree.js";

/** Notes which records hold which cards, by the cards' keyed fingerprints. The records begin at `firstIndex`. */
export async function indexCards(
  queries: Queries,
  firstIndex: number,
  records: readonly LogRecord[],
): Promise<void> {
  const entries = records.flatMap(({ event, quarantined }, position) =>
    quarantined
      ? []
      : cardFingerprintsOf(event).map((fingerprint) => ({ fingerprint, index: firstIndex + position })),
  );
  if (entries.length === 0) return;
  await queries.query(
    `INSERT INTO audit.card_accesses (fingerprint, log_index)
     SELECT decode(fingerprint, 'hex'), log_index FROM unnest($1::text[], $2::bigint[]) AS entry (fingerprint, log_index)`,
    [entries.map(({ fingerprint }) => fingerprint), entries.map(({ index }) => index)],
  );
}
