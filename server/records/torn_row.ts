/**
 * Rows that were being added when their writer was killed. Pure.
 *
 * The place of a row is filled with NULs before the row is written into it, so whatever a killed writer leaves ends in
 * NULs. A person's file does not; and one in UTF-16, which may, looks otherwise before them.
 */

export const USUAL_HEADER = "Country,Capital,Population\n";

/** Cells in quotes, of which the last may be cut off: so all our rows are written. */
const BEGINNING = /^(?:"[^"\0]*",)*(?:"[^"\0]*"?)?$/;
/** `"a","b"` and a line end. */
const ROW_BYTES_MIN = 8;

/** Whether a file ends in a row that is not finished, if it ends in `text`, behind its last line end. */
export function isTornRow(text: string): boolean {
  if (!text.endsWith("\0") || text.length < ROW_BYTES_MIN) return false;
  let end = text.length;
  while (text[end - 1] === "\0") end--;
  const written = text.slice(0, end);
  return BEGINNING.test(written) || USUAL_HEADER.startsWith(written);
}
