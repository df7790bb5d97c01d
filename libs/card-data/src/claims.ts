/** Which units of a text are spoken for; asking and claiming cost as much as the stretch is long. */
export class Claims {
  private units: Uint8Array | undefined;

  constructor(private readonly length: number) {}

  /** Claims the stretch unless part of it is claimed; tells whether it did. */
  claim(start: number, end: number): boolean {
    this.units ??= new Uint8Array(this.length);
    for (let i = start; i < end; i++) if (this.units[i] === 1) return false;
    this.units.fill(1, start, end);
    return true;
  }
}
