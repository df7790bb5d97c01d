const dayMs = 24 * 60 * 60 * 1_000;

let last = { day: NaN, text: "" };

/** The day in UTC, as policies write days. Every search asks for it, so it is written once a day. */
export function dayOf(now: Date): string {
  const day = Math.floor(now.getTime() / dayMs);
  if (day !== last.day) last = { day, text: now.toISOString().slice(0, 10) };
  return last.text;
}
