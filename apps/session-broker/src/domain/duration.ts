import type { Endpoint } from "@countersign/contracts";
import type { ActiveSession } from "./session.js";

/** Policies count whole minutes, rounded up, so to them no session is shorter than this. */
export const shortestSeconds = 60;

/** How long a session would be: as long as was asked for, or as usual, but never longer than the endpoint allows. */
export const durationOf = (durationSeconds: number | undefined, { session }: Endpoint): number =>
  Math.min(durationSeconds ?? session.durationSecondsDefault, session.durationSecondsMax);

/** Lengths to try where policies refuse one: the usual, and the shortest of all. */
export const shorterThan = (durationSeconds: number | undefined, endpoint: Endpoint): number[] => {
  const asked = durationOf(durationSeconds, endpoint);
  return [durationOf(undefined, endpoint), shortestSeconds].filter((seconds) => seconds < asked);
};

/** How long a session is in all if it ends then. */
export const lengthUntil = ({ grantedAt }: Pick<ActiveSession, "grantedAt">, end: string): number =>
  (Date.parse(end) - Date.parse(grantedAt)) / 1_000;

/** 5401 as “91 minutes”, as policies count it. */
export const minutesText = (seconds: number): string => {
  const minutes = Math.ceil(seconds / 60);
  return `${minutes} minute${minutes === 1 ? "" : "s"}`;
};
