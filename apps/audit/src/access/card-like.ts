import { holdsLongNumber } from "@countersign/contracts";
import { ApiError } from "@countersign/service-kit";

/** A question is recorded, so a card number must not be in it. Its value is never repeated. */
export function holdsCardLike(values: readonly (string | undefined)[]): boolean {
  return values.some((value) => value !== undefined && holdsLongNumber(value));
}

export const cardLikeRefused = (): ApiError =>
  new ApiError(
    400,
    "query_holds_digits",
    "A value of the query holds twelve digits or more, like a card number. Questions are recorded: search by session, principal, endpoint, tool or time instead.",
  );
