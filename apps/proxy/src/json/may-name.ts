/**
 * Finds texts in which some member may have one of these names: written as it is, or with an escaped letter somewhere,
 * behind which a name could hide from a search of the text. Libraries escape no letters of ASCII.
 */
export const mayName = (...names: readonly string[]): RegExp =>
  new RegExp(`"(?:${names.join("|")})"\\s*:|\\\\u00[4-7]`);
