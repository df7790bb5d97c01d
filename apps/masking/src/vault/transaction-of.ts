import type { EventContext } from "@countersign/service-kit";
import type { EntityManager } from "typeorm";

/** The transaction that also moves past the event. */
export function transactionOf({ manager }: EventContext): EntityManager {
  if (!manager) throw new TypeError("the vault is filled by a durable subscription");
  return manager;
}
