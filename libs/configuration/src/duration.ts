const unitSeconds = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** Seconds in a duration such as `90s`, `15m`, `1h` or `1h30m`; undefined where it is not one, or is nothing. */
export const durationSeconds = (text: string): number | undefined => {
  if (!/^(\d{1,6}[smhd])+$/.test(text)) return undefined;
  let seconds = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)([smhd])/g))
    seconds += Number(count) * unitSeconds[unit as keyof typeof unitSeconds];
  return seconds > 0 ? seconds : undefined;
};
