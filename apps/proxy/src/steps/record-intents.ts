import { reached } from "../evidence/moments.js";
import type { Entry } from "@countersign/service-kit";
import type { Call, Member } from "../call.js";
import type { CallRecords } from "../evidence/call-records.js";
import type { Scanned } from "../evidence/payloads.js";
import type { Admitted } from "../exchange.js";
import type { Gateway } from "../gateway.js";

/** Puts what is about to be forwarded on the log: an intent for each call, a record for each other message. */
export async function recordIntents(
  gateway: Gateway,
  { members, records, admitted, headers }: Call,
  alongside: readonly Entry[] = [],
): Promise<void> {
  const made =
    members.length === 0
      ? [await bareIntent(records, headers, admitted)]
      : await Promise.all(members.map((member, at) => intentOf(member, at === 0 ? headers : undefined)));
  await gateway.recorder.record(
    made.map(({ draft }) => draft),
    [...made.flatMap(({ kept }) => kept.alongside), ...alongside],
  );
  for (const { kept } of made) kept.stored();
  reached("intent recorded");
}

/** To listen and to leave are calls without a message. */
async function bareIntent(records: CallRecords, headers: Scanned | undefined, { engine }: Admitted) {
  const kept = await records.keepRequest(undefined, headers);
  return {
    kept,
    draft: records.intended(kept, { effect: "allow", policies: [], bundleVersion: engine.version }),
  };
}

async function intentOf({ message, decision, records }: Member, headers: Scanned | undefined) {
  const kept = await records.keepRequest(message.scanned, headers);
  const draft =
    message.rpc.kind === "request"
      ? records.intended(kept, decision)
      : records.message("client_to_server", message.rpc.kind, kept.payload, kept.headers);
  return { kept, draft };
}
