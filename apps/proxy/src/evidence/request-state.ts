import { createHmac } from "node:crypto";
import type { Finding } from "@countersign/contracts";
import { extentAt } from "../json/extents.js";
import { mayName } from "../json/may-name.js";
import { splice } from "../json/splice.js";

const worthALook = mayName("requestState");

const places = [
  ["result", "requestState"],
  ["params", "requestState"],
];

/**
 * A message as its record keeps it: in the place of `requestState`, which is the server's own secret and travels
 * through the client unread, stands a keyed digest. An auditor sees that the same state came back, and nothing of it.
 * The text must be strict JSON.
 */
export function withoutRequestState(text: string, key: Uint8Array): string {
  if (!worthALook.test(text)) return text;
  const found = places.map((keys) => extentAt(text, keys)).filter((at) => at !== undefined);
  return splice(
    text,
    found.map(({ start, end }) => {
      const digest = createHmac("sha256", key).update(text.slice(start, end)).digest("hex");
      return { start, end, text: `"requestState hmac-sha256 ${digest}"` };
    }),
  );
}

/** A server's state that holds card data: to mask it would break it, and to pass it on would hand out the card. */
export const isInRequestState = ({ path }: Finding): boolean => path === "/result/requestState";
