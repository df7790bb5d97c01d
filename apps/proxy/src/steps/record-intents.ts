import { reached } from "../evidence/moments.js";
import type { Entry } from "@countersign/service-kit";
import type { Call, Member } from "../call.js";
import type { Gateway } from "../gateway.js";

/** What a request without a message holds. */
const emptyPayload = {
  text: "",
  sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  bytes: 0,
  contentType: "",
  findings: [],
};

/** Puts what is about to be forwarded on the log: an intent for each call, a record for each other message. */
export async function recordIntents(
  gateway: Gateway,
  { members, records, admitted }: Call,
  alongside: readonly Entry[] = [],
): Promise<void> {
  if (members.length === 0) {
    const decision = { effect: "allow" as const, policies: [], bundleVersion: admitted.engine.version };
    await gateway.recorder.record([records.intended(emptyPayload, decision)]);
  } else {
    const made = await Promise.all(members.map(intentOf));
    await gateway.recorder.record(
      made.map(({ draft }) => draft),
      [...made.flatMap(({ kept }) => kept.alongside), ...alongside],
    );
    for (const { kept } of made) kept.stored();
  }
  reached("intent recorded");
}

async function intentOf({ message, decision, records }: Member) {
  const kept = await records.keep(message.scanned, "client_to_server");
  const draft =
    message.rpc.kind === "request"
      ? records.intended(kept.payload, decision)
      : records.message("client_to_server", message.rpc.kind, kept.payload);
  return { kept, draft };
}
