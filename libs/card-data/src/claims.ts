/** Which units of a text are spoken for; asking and claiming cost as much as the stretch is long. */
export class Claims {
  private readonly units: Uint8Array | undefined;

  /** A lone claim needs no book-keeping. */
  constructor(length: number, expected: number) {
    this.units = expected > 1 ? new Uint8Array(length) : undefined;
  }

  /** Claims the stretch unless part of it is claimed; tells whether it did. */
  claim(start: number, end: number): boolean {
    const { units } = this;
    if (!units) return true;
    for (let i = start; i < end; i++) if (units[i] === 1) return false;
    units.fill(1, start, end);
    return true;
  }
}
