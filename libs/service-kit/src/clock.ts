import { randomUUIDv7 } from "node:crypto";

/** Now, and new ids: what pure functions are handed instead of reaching for them. */
export class Clock {
  now(): Date {
    return new Date();
  }

  /** A UUIDv7. */
  newId(): string {
    return randomUUIDv7();
  }
}
