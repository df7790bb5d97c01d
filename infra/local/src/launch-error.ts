import { CountersignError } from "@countersign/contracts";

export type LaunchErrorCode =
  | "already_running"
  | "checksum_mismatch"
  | "download_failed"
  | "not_built"
  | "not_running"
  | "preflight_failed"
  | "program_failed"
  | "timed_out";

/** Something on this machine keeps the suite from running. The message says what to do about it. */
export class LaunchError extends CountersignError {
  declare readonly code: LaunchErrorCode;
}
