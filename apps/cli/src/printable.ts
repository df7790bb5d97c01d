/**
 * Text from elsewhere, safe to show in a terminal: control and format characters could move the cursor, or write
 * "proven" where nothing is.
 */
export const printable = (text: string): string =>
  text.replaceAll(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
