import type { Batch } from "../answers/record-answer.js";
import type { Call } from "../exchange.js";
import type { Gateway } from "../gateway.js";

/** Makes records durable; what they are about may be delivered after this and not before. */
export async function commit(gateway: Gateway, { admitted }: Call, batch: Batch): Promise<void> {
  if (batch.drafts.length === 0) return;
  await gateway.recorder.record(batch.drafts, batch.alongside);
  for (const stored of batch.stored) stored();
  for (const { type, data } of batch.drafts) {
    if (type === "CallCompleted") {
      gateway.metrics.calls.inc({ endpoint: admitted.endpoint.name, outcome: data.outcome });
    }
  }
}
