/**
 * Text from elsewhere (names, a peer's words) made harmless for a terminal, a log or a line of JSON.
 *
 * What could paint, hide or begin a line of its own is written as `\u{…}`. The joiners inside emoji and Indic words
 * (U+200C, U+200D) stay as they are; a lone surrogate shows as U+FFFD.
 */

const HARMFUL = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}]/gu;

/** `name` as a terminal or a log may have it; a backslash is doubled, so that the escapes can be told from names. */
export function escapeName(name: string): string {
  return escapeText(name.replaceAll("\\", "\\\\"));
}

/** The same in double quotes. */
export function quoteName(name: string): string {
  return `"${escapeName(name).replaceAll('"', '\\"')}"`;
}

/** A sentence as a terminal or a log may have it; what is escaped in it already stays so. */
export function escapeText(text: string): string {
  return text.toWellFormed().replace(HARMFUL, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}

/** `value` as one line of JSON in which nothing harmful stands as it is. */
export function formatJson(value: unknown): string {
  return JSON.stringify(value).replace(
    HARMFUL,
    (character) =>
      Array.from(character.split(""), (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`).join(""),
  );
}
