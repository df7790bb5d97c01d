import type { Entry } from "@countersign/service-kit";
import { reached } from "../evidence/moments.js";
import type { Batch } from "../answers/record-answer.js";
import type { Call } from "../call.js";
import type { Gateway } from "../gateway.js";
import { placeOf, type ToolFact } from "../tools/tool-book.js";

/** Makes records durable; what they are about may be delivered after this and not before. */
export async function commit(gateway: Gateway, { admitted }: Call, batch: Batch): Promise<void> {
  if (batch.drafts.length === 0) return;
  const facts = batch.facts.map((fact) => entryOf(gateway, fact));
  await gateway.recorder.record(batch.drafts, [...batch.alongside, ...facts]);
  reached("answer recorded");
  for (const stored of batch.stored) stored();
  // The view would learn of them a moment later, and a call may come before.
  for (const fact of batch.facts) gateway.tools.apply(fact);
  for (const { type, data } of batch.drafts) {
    if (type === "CallCompleted") {
      gateway.metrics.calls.inc({ endpoint: admitted.endpoint.name, outcome: data.outcome });
    }
  }
}

const entryOf = ({ clock }: Gateway, fact: ToolFact): Entry => ({
  topic: "mcp.tools",
  event: {
    ...fact,
    id: clock.newId(),
    source: "proxy",
    subject: placeOf(fact.data.endpoint, fact.data.tool),
    time: clock.now().toISOString(),
  },
});
