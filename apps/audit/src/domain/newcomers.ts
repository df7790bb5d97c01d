import type { LogRecord } from "./log-record.js";

/**
 * The records that the log does not have yet. A repetition of an event adds nothing; another message under an id that
 * is taken is not a repetition, and `standIn`
 * makes the record that says so for the message at a position.
 */
export function newcomersAmong(
  records: readonly LogRecord[],
  known: ReadonlyMap<string, string>,
  standIn: (position: number) => LogRecord,
): LogRecord[] {
  const leaves = new Map(known);
  const newcomers: LogRecord[] = [];
  for (const [position, record] of records.entries()) {
    const resolved = isImpostor(record, leaves) ? standIn(position) : record;
    if (leaves.has(resolved.event.id)) continue;
    leaves.set(resolved.event.id, hexOf(resolved));
    newcomers.push(resolved);
  }
  return newcomers;
}

/** A quarantine record bears the time of its first delivery, so its leaf may differ in a later one. */
const isImpostor = (record: LogRecord, leaves: ReadonlyMap<string, string>): boolean => {
  const leaf = leaves.get(record.event.id);
  return leaf !== undefined && record.quarantined === undefined && leaf !== hexOf(record);
};

const hexOf = ({ leafHash }: LogRecord): string => Buffer.from(leafHash).toString("hex");
