/**
 * A line of a shell as words. Spaces separate; 'single' and "double" quotes and a backslash keep them. Inside double
 * quotes a backslash is one but before `"` and itself; inside single quotes nothing is special. Pure.
 */
import { AppError } from "../../protocol/errors.ts";

/** The last word of a line that is still being typed. */
export interface LastWord {
  /** What it means. */
  readonly text: string;
  /** Where it begins in the line; the end of the line when no word has begun. */
  readonly start: number;
  /** The quote that it began with. */
  readonly quote: "" | "'" | '"';
}

interface Scan {
  readonly words: readonly string[];
  readonly last: LastWord;
  /** What keeps the line from being whole. */
  readonly missing?: string;
}

const SPACE = /\s/;
const SPECIAL = /[\s'"\\]/g;

/** Throws `usage` when a quote has no end. */
export function splitWords(line: string): readonly string[] {
  const { words, last, missing } = scan(line);
  if (missing) throw new AppError("usage", `The line ends before ${missing}`, { advice: "Enter it again, whole" });
  return last.start < line.length ? [...words, last.text] : words;
}

/** The words before the one that is being typed, and that one. */
export function splitTyped(line: string): { readonly words: readonly string[]; readonly last: LastWord } {
  return scan(line);
}

/** `word` as it must be typed, in the quotes that it was begun with. */
export function quoteWord(word: string, quote: LastWord["quote"]): string {
  if (quote === '"') return `"${word.replace(/["\\]/g, "\\$&")}"`;
  if (quote === "'" && !word.includes("'")) return `'${word}'`;
  return word === "" ? "''" : word.replace(SPECIAL, "\\$&");
}

function scan(line: string): Scan {
  const words: string[] = [];
  let text = "";
  let start = -1;
  let quote = "";
  let isEscaped = false;
  for (let at = 0; at < line.length; at++) {
    const letter = line[at]!;
    if (start < 0 && SPACE.test(letter)) continue;
    if (start < 0) start = at;
    if (isEscaped) {
      if (quote === '"' && letter !== '"' && letter !== "\\") text += "\\";
      text += letter;
      isEscaped = false;
    } else if (letter === "\\" && quote !== "'") isEscaped = true;
    else if (quote === "" && SPACE.test(letter)) {
      words.push(text);
      [text, start] = ["", -1];
    } else if (letter === quote) quote = "";
    else if (quote === "" && (letter === "'" || letter === '"')) quote = letter;
    else text += letter;
  }
  const first = line[start];
  const begunWith = first === "'" || first === '"' ? first : "";
  const last: LastWord = { text, start: start < 0 ? line.length : start, quote: begunWith };
  const missing = quote ? `the closing ${quote}` : isEscaped ? "what the backslash stands for" : undefined;
  return { words, last, ...(missing ? { missing } : {}) };
}
