import type { Finding } from "@countersign/contracts";
import { isOpaque } from "../evidence/withhold.js";
import type { Admitted, Message, Received } from "../exchange.js";
import { elementsOf, rootExtent } from "../json/extents.js";
import { ownIdsOf, withOwnIds } from "../json/own-ids.js";
import { splice } from "../json/splice.js";
import { Refusal } from "../refusal.js";
import { type GuardedHeaders, guardHeaders, repeatedOf } from "./guard-headers.js";
import { parseMessage } from "./parse-message.js";
import type { Posted } from "./read-messages.js";

/**
 * What goes on of a request with card data, by the endpoint's policy: all of it, what is left after masking, or
 * nothing. Policy, approvers and the upstream get the same to see, so what is approved is what is forwarded. Content that
 * cannot be searched is refused where the policy says so; its record does not keep it either.
 */
export function guardContent(
  posted: Posted,
  received: Received,
  admitted: Admitted,
): Posted & GuardedHeaders {
  const { scanner } = admitted;
  const findings = posted.messages.flatMap(({ scanned }) => scanned.findings);
  if (scanner.opaque === "refuse" && findings.some(isOpaque)) {
    throw new Refusal(
      "opaque_content",
      `This endpoint takes no content that cannot be searched for card data (${whereOf(findings.filter(isOpaque))}); send it as text, or leave it out.`,
    );
  }
  const cardData = posted.messages.flatMap(cardDataIn);
  const shown = cardData.length === 0 || scanner.requests === "refuse" ? posted : masked(posted);
  const repeated = posted.messages.map((given, at) => repeatedOf(given, shown.messages[at] ?? given));
  switch (scanner.requests) {
    case "forward":
      return { ...posted, ...guardHeaders(received, admitted, repeated) };
    case "refuse":
      if (cardData.length === 0) return { ...posted, ...guardHeaders(received, admitted) };
      throw new Refusal(
        "card_data",
        `This endpoint takes no card data, and the message holds some (${whereOf(cardData)}); leave it out.`,
      );
    case "mask":
      return { ...shown, ...guardHeaders(received, admitted, repeated) };
  }
}

/** Card data in the content of a message; the names that libraries give to requests are none. */
function cardDataIn({ scanned, rpc }: Message): Finding[] {
  const own = ownIdsOf(rpc);
  return scanned.findings.filter((finding) => !isOpaque(finding) && !own.has(finding.path));
}

const placesMax = 3;

/** Where things were found, without anything of them. */
function whereOf(findings: readonly Finding[]): string {
  const places = [...new Set(findings.map(({ kind, path }) => `${kind} at ${path || "the top"}`))];
  const more = places.length > placesMax ? ` and ${places.length - placesMax} more` : "";
  return places.slice(0, placesMax).join(", ") + more;
}

function masked({ body, messages }: Posted): Posted {
  const [first, ...others] = messages.map(maskedMessage) as [Message, ...Message[]];
  const whole = Buffer.from(body).toString("utf8");
  const elements = elementsOf(whole, rootExtent(whole));
  const text =
    elements.length === 0
      ? first.text
      : splice(
          whole,
          [first, ...others].map(({ text }, at) => ({ ...(elements[at] ?? rootExtent(whole)), text })),
        );
  return { body: Buffer.from(text), messages: [first, ...others] };
}

function maskedMessage(message: Message): Message {
  const text = withOwnIds(message.text, message.scanned.masked, ownIdsOf(message.rpc).keys());
  return { ...message, text, rpc: parseMessage(text) };
}
