import { type Endpoint, holdsLongNumber } from "@countersign/contracts";

export const justificationCharactersMax = 2_000;

const offeredSeconds = [5 * 60, 15 * 60, 30 * 60, 3_600, 2 * 3_600, 4 * 3_600, 8 * 3_600, 12 * 3_600, 86_400];

/** The durations to choose from: the usual ones below the endpoint's maximum, its default, and the maximum. */
export function durationsFor({ session }: Endpoint): number[] {
  const { durationSecondsDefault, durationSecondsMax } = session;
  const all = [
    ...offeredSeconds.filter((seconds) => seconds < durationSecondsMax),
    durationSecondsDefault,
    durationSecondsMax,
  ];
  return [...new Set(all)].toSorted((a, b) => a - b);
}

export type SessionForm =
  | {
      readonly valid: true;
      readonly justification: string;
      readonly durationSeconds: number;
    }
  | { readonly valid: false; readonly problem: string };

/** What the person entered, or what to change about it. */
export function readSessionForm(
  endpoint: Endpoint,
  entered: { readonly justification?: unknown; readonly duration?: unknown },
): SessionForm {
  const durationSeconds = Number(entered.duration);
  if (!durationsFor(endpoint).includes(durationSeconds))
    return { valid: false, problem: "Choose one of the durations." };
  const problem = justificationProblem(endpoint, entered.justification);
  return problem === undefined
    ? { valid: true, justification: String(entered.justification).trim(), durationSeconds }
    : { valid: false, problem };
}

/** Undefined for a justification that the endpoint takes, otherwise what is wrong with it. */
export function justificationProblem({ session }: Endpoint, justification: unknown): string | undefined {
  const text = typeof justification === "string" ? justification.trim() : "";
  if (text === "") return "Say what you need the access for.";
  if (text.length > justificationCharactersMax)
    return `Say it in at most ${justificationCharactersMax} characters.`;
  if (holdsLongNumber(text))
    return "Leave out card and account numbers; the justification is kept as evidence.";
  const { justificationPattern: pattern, justificationHint: hint } = session;
  if (pattern !== undefined && !new RegExp(pattern, "u").test(text))
    return hint === undefined
      ? `The justification must contain what this pattern describes: ${pattern}`
      : `The justification is not yet what is asked for. ${hint}`;
  return undefined;
}
