import type { IncomingHttpHeaders } from "node:http";
import type { Scanned } from "../evidence/payloads.js";
import { isOpaque } from "../evidence/withhold.js";
import { isCredential, withCredentialDigests, withheldCredential } from "../evidence/header-credentials.js";
import type { Admitted, Message, Received } from "../exchange.js";
import { Refusal } from "../refusal.js";
import { clientHeaders } from "../upstream/headers.js";
import { decoded } from "./check-headers.js";

/** Node.js takes 16 KiB of headers; written as JSON they may grow. */
const headersBytesMax = 32 * 1024;

/** A request as it goes on, with what its record keeps of the headers that go along. */
export interface GuardedHeaders {
  readonly received: Received;
  readonly headers: Scanned | undefined;
}

/**
 * Headers travel upstream too, and those of parameters repeat the body. Where the endpoint takes no card data as it is,
 * theirs is masked or refused with it; what repeats a value of the body says what the body's record says there. All that
 * go on are recorded with the request: names and values, without those of credentials.
 */
export function guardHeaders(
  received: Received,
  { endpoint, scanner }: Admitted,
  repeated: readonly Repeated[] = [],
): GuardedHeaders {
  const given = Object.entries(clientHeaders(received.headers, endpoint.upstream));
  if (given.length === 0) return { received, headers: undefined };
  const values = given.map(([name, value]) => repeatedAs(decoded(name, value), repeated));
  const text = JSON.stringify(
    Object.fromEntries(
      given.map(([name], at) => [name, isCredential(name) ? withheldCredential : values[at]]),
    ),
  );
  if (Buffer.byteLength(text) > headersBytesMax) {
    throw new Refusal("too_large", "The headers are longer than the gateway takes; send shorter ones.", {
      httpStatus: 431,
    });
  }
  const scanned = scanner.json(text);
  if (scanner.opaque === "refuse" && scanned.findings.some(isOpaque)) {
    throw new Refusal(
      "opaque_content",
      "This endpoint takes no content that cannot be searched for card data, and a header holds some.",
      { httpStatus: 400 },
    );
  }
  const masked = Object.entries(JSON.parse(scanned.masked) as Record<string, string>).map(
    ([name, value], at): [string, string] =>
      isCredential(given[at]?.[0] ?? name) ? [name, scanner.mask(values[at] ?? value)] : [name, value],
  );
  const recorded = withCredentialDigests(scanned.recorded, given, (value) => scanner.digest(value));
  const headers = { ...scanned, recorded };
  switch (scanner.requests) {
    case "forward":
      return { received, headers };
    case "refuse": {
      const at = masked.findIndex(([name, value], at) => name !== given[at]?.[0] || value !== values[at]);
      if (at === -1) return { received, headers };
      throw new Refusal(
        "card_data",
        `This endpoint takes no card data, and the header ${masked[at]?.[0] ?? ""} holds some.`,
        { httpStatus: 400 },
      );
    }
    case "mask":
      return { received: withMasked(received, given, masked), headers };
  }
}

/** The request with masked headers; one whose name held card data does not go on, since no server knows the other name. */
function withMasked(
  received: Received,
  given: readonly (readonly [string, string])[],
  masked: readonly (readonly [string, string])[],
): Received {
  const headers: IncomingHttpHeaders = { ...received.headers };
  given.forEach(([name, value], at) => {
    const [maskedName, maskedValue = ""] = masked[at] ?? [];
    const before = decoded(name, value);
    if (maskedName !== name) delete headers[name];
    else if (maskedValue !== before) headers[name] = encoded(maskedValue, before !== value);
  });
  return { ...received, headers };
}

/** The parameters of a message as they came and as they are shown to whoever may not see card data. */
export interface Repeated {
  readonly given: unknown;
  readonly shown: unknown;
}

export const repeatedOf = (given: Message, shown: Message): Repeated => ({
  given: paramsOf(given),
  shown: paramsOf(shown),
});

const paramsOf = ({ rpc }: Message): unknown => (rpc.kind === "response" ? undefined : rpc.params);

/** What a value of the parameters became; where one of several that are alike was masked, that one. */
function repeatedAs(value: string, repeated: readonly Repeated[]): string {
  const left = repeated.map(({ given, shown }): [unknown, unknown] => [given, shown]);
  for (let next = left.pop(); next; next = left.pop()) {
    const [given, shown] = next;
    if (typeof given === "object" && given !== null && typeof shown === "object" && shown !== null) {
      // Masking renames members and moves none.
      const others: unknown[] = Object.values(shown);
      left.push(...Object.values(given).map((inner: unknown, at): [unknown, unknown] => [inner, others[at]]));
    } else if (String(given) === value && String(shown) !== value) return String(shown);
  }
  return value;
}

const encoded = (value: string, inBase64: boolean): string =>
  inBase64 ? `=?base64?${Buffer.from(value).toString("base64")}?=` : value;
