/** Strings that traps are made of: all the short ones over a few letters, and those that only look like them. */

export const LETTERS = [".", "/", "\\", "%", "2", "e", "\0", ":", "~", " "];

/** Calls `visit` with every string of 1 to `lengthMax` letters; how many those were. */
export function everyString(lengthMax: number, visit: (name: string) => void): number {
  let count = 0;
  const extend = (start: string, left: number) => {
    for (const letter of LETTERS) {
      const name = start + letter;
      visit(name);
      count++;
      if (left > 1) extend(name, left - 1);
    }
  };
  extend("", lengthMax);
  return count;
}

/** What looks like two dots, and what like a slash, and is neither for any system. */
const DOTS = ["\uff0e\uff0e", "\u2024\u2024", "\u2025", "\u3002\u3002", "\ufe52\ufe52", ".\u0307", "\u00b7\u00b7"];
const SLASHES = ["\u2215", "\u2044", "\uff0f", "\u29f8", "\u2571", "\uff3c", "\u2216", "\ufe68"];
/** Marks that join a letter, change its direction or show nothing; and a pair of the forms NFC and NFD. */
const MARKS = ["\u200b", "\u200d", "\u200e", "\u202e", "\u2066", "\u00ad", "\ufeff", "\u0338", "\u20d2"];
const FORMS = ["\u00e9", "e\u0301", "\u212b", "\u1e9b\u0323", "\uac00", "\u1100\u1161", "\ufb01"];

/** Names whose letters look like traps, wherever those would lead if they were that; `target` lies beside the root. */
export function lookAlikes(target: string): string[] {
  const up = [...DOTS, ...MARKS.flatMap((mark) => [`..${mark}`, `.${mark}.`, `${mark}..`])];
  const names = up.flatMap((dots) => [dots, `${dots}/${target}`, ...SLASHES.map((slash) => dots + slash + target)]);
  return [
    ...names,
    ...SLASHES.map((slash) => `..${slash}${target}`),
    ...FORMS,
    ...FORMS.map((form) => `${form}/${form}`),
  ];
}

/** Bytes that some decoders take for "../target", and that are no UTF-8. */
export function overlong(target: string): Uint8Array[] {
  const dots = [[0xc0, 0xae], [0xe0, 0x80, 0xae], [0xf0, 0x80, 0x80, 0xae], [0x2e]];
  const slashes = [[0xc0, 0xaf], [0xe0, 0x80, 0xaf], [0xf0, 0x80, 0x80, 0xaf], [0xc1, 0x9c], [0x2f, 0xff], [
    0xed,
    0xa0,
    0x80,
  ]];
  const rest = new TextEncoder().encode(target);
  return dots.flatMap((dot) => slashes.map((slash) => Uint8Array.from([...dot, ...dot, ...slash, ...rest])));
}
