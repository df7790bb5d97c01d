import { CountersignError } from "@countersign/contracts";

export type SetupFailedCode = "password_missing" | "topic_partitions";

/** Kafka or PostgreSQL is not as Countersign needs it, and setup must not change that by itself. */
export class SetupFailed extends CountersignError {
  declare readonly code: SetupFailedCode;
}
