/** What the word that is being typed may become: a command, an option of one, or a name on the server. */
import type { Command } from "../../protocol/cli/command.ts";
import { escapeText } from "../../protocol/escape.ts";
import { OLD_NAMES } from "./old_names.ts";
import { quoteWord, splitTyped } from "./words.ts";

/** As `node:readline` wants it: what the part may become, and the part. */
export type Completion = readonly [hits: string[], part: string];

export interface CompletionFacts {
  readonly commands: readonly Command[];
  /** The words of the shell itself. */
  readonly ownWords: readonly string[];
  /** The names in a directory on the server, those of directories with `/` at the end. */
  list(directory: string): Promise<readonly string[]>;
}

export async function complete(line: string, facts: CompletionFacts): Promise<Completion> {
  const { words, last } = splitTyped(line);
  const part = line.slice(last.start);
  const candidates = await candidatesFor(words, last.text, facts);
  const hits = candidates
    .filter((one) => one.startsWith(last.text) && escapeText(one) === one) // what cannot be shown cannot be chosen
    .map((one) => one.endsWith("/") ? openWord(one, last.quote) : `${quoteWord(one, last.quote)} `)
    .filter((one) => one.startsWith(part)); // what was begun in another way of quoting stays as it is
  return [hits, part];
}

/** Behind a directory more is to come: its quote stays open. */
function openWord(word: string, quote: "" | "'" | '"'): string {
  const quoted = quoteWord(word, quote);
  return quote !== "" && quoted.endsWith(quote) ? quoted.slice(0, -1) : quoted;
}

async function candidatesFor(
  words: readonly string[],
  text: string,
  { commands, ownWords, list }: CompletionFacts,
): Promise<readonly string[]> {
  const [name] = words;
  const names = commands.map((command) => command.name);
  if (name === undefined) return [...names, ...ownWords, ...(/^[A-Z]/.test(text) ? Object.keys(OLD_NAMES) : [])].sort();
  if (name === "help") return names;
  const command = commands.find((one) => one.name === name);
  if (!command) return [];
  if (text.startsWith("-") && !words.includes("--")) {
    return command.options.filter(({ hidden }) => !hidden).map((option) => `--${option.name}`);
  }
  if (!/\b(NAME|DIR|FROM)\b/.test(command.words)) return [];
  const directory = text.slice(0, text.lastIndexOf("/") + 1);
  const there = (await list(directory.replace(/\/$/, ""))).map((entry) => directory + entry);
  return words.includes("--") ? there : there.filter((one) => !one.startsWith("-")); // it would be taken for an option
}
