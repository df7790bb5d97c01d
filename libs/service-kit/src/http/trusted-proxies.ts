import { isIP } from "node:net";
import { z } from "zod";

const networkNames: ReadonlySet<string> = new Set(["loopback", "linklocal", "uniquelocal"]);

/**
 * Whose `X-Forwarded-For` is believed: so many hops, or addresses and networks. Never "all": the first of the addresses is
 * what the client itself said.
 */
export const trustedProxies = z
  .string()
  .refine(
    (value) => /^\d+$/.test(value) || value.split(",").every((part) => isNetwork(part.trim())),
    "must be a number of hops, or addresses and networks with commas between them",
  )
  .transform((value): number | string[] =>
    /^\d+$/.test(value) ? Number(value) : value.split(",").map((network) => network.trim()),
  );

function isNetwork(text: string): boolean {
  const [address = "", prefix, ...rest] = text.split("/");
  if (prefix === undefined) return networkNames.has(address) || isIP(address) > 0;
  if (rest.length > 0 || isIP(address) === 0 || !/^\d+$/.test(prefix)) return false;
  return Number(prefix) <= (isIP(address) === 4 ? 32 : 128);
}
