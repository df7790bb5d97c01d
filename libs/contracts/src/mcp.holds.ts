import { z } from "zod";
import { define, type DataOf } from "./define.js";
import { id, time } from "./primitives.js";

const aboutHold = { approvalId: id, sessionId: id };

export const holdOpened = define(
  "HoldOpened",
  z.object({
    ...aboutHold,
    callId: id.describe("The call that waits for the approval."),
    requestDigest: z.string(),
    expiresAt: time,
  }),
  "A call waits for an approval at one proxy.",
);

export const holdLeft = define(
  "HoldLeft",
  z.object({ ...aboutHold, callId: id.describe("The call that waits no longer.") }),
  "Nobody waits for this approval any more; the same call asked again may take it up, at any proxy.",
);

export const holdTaken = define(
  "HoldTaken",
  z.object({ ...aboutHold, callId: id.describe("The call that would go on waiting.") }),
  "A call asked again would take up an approval that was left; the first one on the log has it.",
);

export const holdEnded = define(
  "HoldEnded",
  z.object(aboutHold),
  "The approval was used, refused or given up; nobody can take it up any more.",
);

export const heldCallCancelled = define(
  "HeldCallCancelled",
  z.object({
    sessionId: id,
    requestIdDigest: z.string().describe("Keyed digest of the JSON-RPC id of the call that is cancelled."),
  }),
  "A client cancelled a call that may wait for an approval at another proxy.",
);

export const mcpHolds = [holdOpened, holdLeft, holdTaken, holdEnded, heldCallCancelled] as const;

export type HoldOpened = DataOf<typeof holdOpened>;
export type HoldLeft = DataOf<typeof holdLeft>;
export type HoldTaken = DataOf<typeof holdTaken>;
export type HoldEnded = DataOf<typeof holdEnded>;
export type HeldCallCancelled = DataOf<typeof heldCallCancelled>;
