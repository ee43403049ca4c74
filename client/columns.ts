/** How many columns of a terminal a text takes. */

export type ColumnsOf = (text: string) => number;

/** As many columns as letters: true of printable ASCII, and of the "…" that a clipped text ends with. */
export const columnsOfAscii: ColumnsOf = (text) => text.length;

export function isAscii(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}

/** For text in any script. Its tables take 20 ms to load, half of what a whole short command takes. */
export async function loadColumnsOf(): Promise<ColumnsOf> {
  const { default: stringWidth } = await import("string-width");
  return stringWidth;
}
