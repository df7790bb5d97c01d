import { ApiError } from "@countersign/service-kit";

/** Twelve digits or more, whatever stands between them: the shortest card number, and nothing that is searched for. */
const cardLike = /(?:\p{Nd}[\p{Z}\p{Pd}\p{Cf}\t./_+,:]{0,3}){12}/u;

/** A question is recorded, so a card number must not be in it. Its value is never repeated. */
export function holdsCardLike(values: readonly (string | undefined)[]): boolean {
  return values.some((value) => value !== undefined && cardLike.test(value));
}

export const cardLikeRefused = (): ApiError =>
  new ApiError(
    400,
    "query_holds_digits",
    "A value of the query holds twelve digits or more, like a card number. Questions are recorded: search by session, principal, endpoint, tool or time instead.",
  );
