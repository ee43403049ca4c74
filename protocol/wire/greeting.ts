/**
 * The format `greeting`: a client tells its name and a number, and is told the server's.
 *
 *     Client of NAME: NUMBER          ->  Server of NAME: NUMBER
 *                                         Server closing...        (only where the number ended the server)
 *
 * A NAME is any text without control characters and line breaks, also with `: ` in it: the last one counts. A NUMBER
 * is an integer of any size and sign.
 */
import { AppError } from "../errors.ts";

export interface Greeting {
  readonly name: string;
  readonly number: bigint;
}

export interface GreetingReply extends Greeting {
  /** Whether the server said that it ends. */
  readonly isClosing: boolean;
}

const REQUEST = /^Client of (.*): (.*)$/s;
const REPLY = /^Server of (.*): (.*)$/s;
const CLOSING = "\nServer closing...";
const INTEGER = /^[+-]?\d+$/;
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}]/u;

/** Whether `bytes` are a greeting in their whole form, whatever stands for the number. */
export function hasGreetingForm(bytes: Uint8Array): boolean {
  return REQUEST.test(new TextDecoder().decode(bytes));
}

/** Throws `malformed`, in one line that its sender can read. */
export function parseGreeting(bytes: Uint8Array): Greeting {
  return parseParts(REQUEST.exec(decode(bytes)), "Client of NAME: NUMBER");
}

/**
 * Throws `malformed` for anything else than a server's answer. What stands at its end is taken off first, and not by
 * the expression: one that has to find it among spaces tries for hours on an answer that is made for that.
 */
export function parseGreetingReply(bytes: Uint8Array): GreetingReply {
  const text = decode(bytes).trimEnd();
  const isClosing = text.endsWith(CLOSING);
  const line = isClosing ? text.slice(0, -CLOSING.length) : text;
  return { ...parseParts(REPLY.exec(line), "Server of NAME: NUMBER"), isClosing };
}

export function formatGreeting({ name, number }: Greeting): string {
  return `Client of ${name}: ${number}`;
}

export function formatGreetingReply({ name, number, isClosing }: GreetingReply): string {
  return `Server of ${name}: ${number}${isClosing ? CLOSING : ""}`;
}

/** `undefined` for what is no integer. */
export function parseInteger(text: string): bigint | undefined {
  return INTEGER.test(text) ? BigInt(text.replace("+", "")) : undefined;
}

/** What is wrong with `name`, or `undefined`. */
export function greetingNameFault(name: string): string | undefined {
  if (name === "") return "it is empty";
  if (UNPRINTABLE.test(name)) return "it has a line break or a control character";
}

function parseParts(match: RegExpExecArray | null, form: string): Greeting {
  if (!match) throw new AppError("malformed", `The form is "${form}"`);
  const [, name, text] = match as unknown as [string, string, string];
  const fault = greetingNameFault(name);
  if (fault) throw new AppError("malformed", `The name cannot be taken: ${fault}`);
  const number = parseInteger(text.trim());
  if (number === undefined) throw new AppError("malformed", `${JSON.stringify(text)} is no integer`);
  return { name, number };
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new AppError("malformed", "The text is not UTF-8", { cause });
  }
}
