import type { IncomingHttpHeaders } from "node:http";
import type { Admitted, Message, Received } from "../exchange.js";
import { Refusal } from "../refusal.js";
import { upstreamHeaders } from "../upstream/headers.js";
import { decoded } from "./check-headers.js";

/**
 * Headers travel upstream too, and those of parameters repeat the body. Where the endpoint takes no card data as it is,
 * theirs is masked or refused with it; what repeats a value of the body says what the forwarded body says there.
 */
export function guardHeaders(
  received: Received,
  { endpoint, scanner }: Admitted,
  values: readonly Repeated[] = [],
): Received {
  if (scanner.requests === "forward") return received;
  const headers: IncomingHttpHeaders = { ...received.headers };
  for (const name of Object.keys(upstreamHeaders(received.headers, endpoint.upstream, undefined))) {
    const given = received.headers[name];
    if (typeof given !== "string") continue;
    const value = decoded(name, given);
    const masked = scanner.mask(repeatedAs(value, values));
    if (masked === value) continue;
    if (scanner.requests === "refuse") {
      throw new Refusal("card_data", `This endpoint takes no card data, and the header ${name} holds some.`, {
        httpStatus: 400,
      });
    }
    headers[name] = encoded(masked, value !== given);
  }
  return { ...received, headers };
}

/** The parameters of a message as they came and as they are forwarded. */
export interface Repeated {
  readonly given: unknown;
  readonly forwarded: unknown;
}

export const repeatedOf = (given: Message, forwarded: Message): Repeated => ({
  given: paramsOf(given),
  forwarded: paramsOf(forwarded),
});

const paramsOf = ({ rpc }: Message): unknown => (rpc.kind === "response" ? undefined : rpc.params);

/** What a value of the parameters became; where one of several that are alike was masked, that one. */
function repeatedAs(value: string, repeated: readonly Repeated[]): string {
  const left = repeated.map(({ given, forwarded }): [unknown, unknown] => [given, forwarded]);
  for (let next = left.pop(); next; next = left.pop()) {
    const [given, forwarded] = next;
    if (typeof given === "object" && given !== null && typeof forwarded === "object" && forwarded !== null) {
      // Masking renames members and moves none.
      const others: unknown[] = Object.values(forwarded);
      left.push(...Object.values(given).map((inner: unknown, at): [unknown, unknown] => [inner, others[at]]));
    } else if (String(given) === value && String(forwarded) !== value) return String(forwarded);
  }
  return value;
}

const encoded = (value: string, inBase64: boolean): string =>
  inBase64 ? `=?base64?${Buffer.from(value).toString("base64")}?=` : value;
