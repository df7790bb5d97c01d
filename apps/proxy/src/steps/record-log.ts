import type { Call } from "../call.js";
import { keptOf } from "../evidence/withhold.js";
import type { Gateway } from "../gateway.js";

/** Records what an upstream's program wrote to its log, under the call that started it. It goes to no client. */
export async function recordLog(gateway: Gateway, { admitted, records }: Call, text: string): Promise<void> {
  const { scanner } = admitted;
  const kept = await records.keep(keptOf(scanner.text(text), scanner.opaque), "server_to_client");
  const draft = records.message("server_to_client", "log", kept.payload);
  await gateway.recorder
    .record([draft], kept.alongside)
    .then(kept.stored, () => gateway.recorder.recordEventually(draft));
}
