import { channel } from "node:diagnostics_channel";

/**
 * Names the moments at which a crash or a delay matters, on Node's diagnostics channel `countersign:proxy`. Nobody listens unless
 * something is preloaded to, as the failure tests do to kill the process exactly there.
 */
const moments = channel("countersign:proxy");

export type Moment =
  | "intent recorded"
  | "upstream answered"
  | "release recorded"
  | "answer recorded"
  | "answer passed on";

export const reached = (moment: Moment): void => {
  if (moments.hasSubscribers) moments.publish(moment);
};
