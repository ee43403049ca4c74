/** Which server: HOST PORT, or both in one word, or a link. Nothing is guessed. */
import { AppError } from "../protocol/errors.ts";
import type { Terminal } from "../protocol/cli/terminal.ts";
import { validateName } from "../protocol/names.ts";
import { isLink, parseLink } from "../protocol/wire/link.ts";

export interface Target {
  readonly host: string;
  readonly port: number;
  /** The server's public key, where it is known: then it is spoken to encrypted, once it has proven that it has it. */
  readonly key?: string;
  /** What a link allows its holder with. Never shown, and never sent in plain. */
  readonly secret?: string;
}

/** What was asked for, and the words that are left. */
export interface TargetWords {
  readonly target: Target;
  readonly rest: readonly string[];
  /** Where a link leads: a name, a directory with "/" behind it, or "" for everywhere. */
  readonly path: string;
}

const BRACKETED = /^\[([^\]]+)\](?::(.*))?$/;
const WITH_PORT = /^([^:]*):(.*)$/;

/**
 * Takes HOST PORT, `host:port`, `[v6]:port` or a link from the front of `words`; on a terminal, asks for what is missing.
 * With `link`, from elsewhere, all of the words are left.
 */
export function takeTarget(words: readonly string[], terminal: Terminal, link?: string): TargetWords {
  if (link !== undefined) return { ...followLink(link), rest: words };
  const [first = askFor("HOST", "Enter ip --> ", terminal), ...others] = words;
  if (isLink(first)) return { ...followLink(first), rest: others };
  const { host, portText } = splitHost(first);
  validateHost(host, first);
  if (portText !== undefined) return { target: { host, port: parsePort(portText) }, rest: others, path: "" };
  const [port = askFor("PORT", "Enter port --> ", terminal), ...rest] = others;
  return { target: { host, port: parsePort(port) }, rest, path: "" };
}

function followLink(text: string): Omit<TargetWords, "rest"> {
  const { path, ...target } = parseLink(text);
  if (path !== "") validateName(path.replace(/\/$/, ""));
  return { target, path };
}

/** The words as names on the server: where a link leads to a directory, they are names in it. */
export function wordsAsNames({ rest, path }: TargetWords): readonly string[] {
  return path.endsWith("/") ? rest.map((name) => path + name) : rest;
}

/** The names that are meant: first what the link leads to, unless that is where the other names are. */
export function namesOf(taken: TargetWords): readonly string[] {
  const { path, rest } = taken;
  if (path === "" || (path.endsWith("/") && rest.length > 0)) return wordsAsNames(taken);
  return [path.replace(/\/$/, ""), ...rest];
}

/** The word that a person types in answer to `question`; without a person, a `usage` error that names it. */
export function askFor(name: string, question: string, terminal: Terminal): string {
  const answer = terminal.canAsk ? terminal.ask(question)?.trim() : undefined;
  if (!answer) throw new AppError("usage", `${name} is missing`);
  return answer;
}

function splitHost(word: string): { host: string; portText?: string } {
  const match = BRACKETED.exec(word) ?? WITH_PORT.exec(word);
  // More than one colon without brackets is an IPv6 address, whose port follows as a word of its own.
  if (!match || (!word.startsWith("[") && word.indexOf(":") !== word.lastIndexOf(":"))) return { host: word };
  return match[2] === undefined ? { host: match[1]! } : { host: match[1]!, portText: match[2] };
}

function validateHost(host: string, word: string): void {
  const fault = hostFault(host, word);
  if (!fault) return;
  throw new AppError("usage", `${JSON.stringify(word)} is no host: ${fault}`, {
    advice: "Write HOST PORT, host:port or [v6]:port before any other word",
  });
}

function hostFault(host: string, word: string): string | undefined {
  if (host.trim() === "") return "it is empty";
  if (word.includes("/")) return "it has a slash"; // the beginning of a URL, most likely
  if (/\s/.test(host)) return "it has a space";
  if (/[[\]]/.test(host)) return "its brackets are not whole";
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535) {
    throw new AppError("usage", `${JSON.stringify(text)} is no port: it must be a number from 1 to 65535`, {
      advice: "Write HOST PORT, host:port or [v6]:port before any other word",
    });
  }
  return port;
}

/** As a person would type it. */
export function formatTarget({ host, port }: Target): string {
  return `${host} ${port}`;
}
