/** Node's JSON with source text access (ECMAScript proposal, in V8 since 11.4), which its type library does not name yet. */
interface SourceAwareJson {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): unknown;
}
const json = JSON as unknown as SourceAwareJson;

/** Parses JSON so that `JSON.stringify` gives every number back digit by digit: `1.10` stays, and so do 19 digits. */
export const parseLossless = (text: string): unknown =>
  json.parse(text, (_, value, { source }) =>
    typeof value === "number" && source !== undefined ? json.rawJSON(source) : value,
  );
