import { CountersignError } from "@countersign/contracts";

export type LaunchErrorCode =
  | "already_running"
  | "checksum_mismatch"
  | "demo_failed"
  | "download_failed"
  | "login_failed"
  | "no_form"
  | "not_built"
  | "not_running"
  | "preflight_failed"
  | "program_failed"
  | "timed_out"
  | "too_many_redirects";

/** Something on this machine keeps the suite from running. The message says what to do about it. */
export class LaunchError extends CountersignError {
  declare readonly code: LaunchErrorCode;
}
