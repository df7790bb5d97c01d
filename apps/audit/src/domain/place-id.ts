import { createHash } from "node:crypto";

/**
 * The id of what is recorded in place of an unreadable message: the same for the same place on the log, so that a
 * redelivery adds nothing. UUID version 8 (RFC 9562 §5.8), made of SHA-256.
 */
export function idOfPlace(place: { topic: string; partition: number; offset: string }): string {
  const bytes = createHash("sha256")
    .update(`countersign quarantine ${place.topic}/${place.partition}/${place.offset}`)
    .digest()
    .subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
