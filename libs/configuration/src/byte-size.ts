const unitBytes = { KiB: 1024, MiB: 1024 * 1024 } as const;

/** Bytes in a size such as `512KiB` or `4MiB`; undefined where it is not one, or is nothing. */
export const byteSize = (text: string): number | undefined => {
  const [, count, unit] = /^(\d{1,6})(KiB|MiB)$/.exec(text) ?? [];
  const bytes = Number(count) * unitBytes[unit as keyof typeof unitBytes];
  return bytes > 0 ? bytes : undefined;
};
