/**
 * The opening: one readable line each way, before any frame.
 *
 *     APP/1 agent=app/0.1.0 data-max=262144           abilities, as words with "="
 *     APP/1 list photos                               or one request in words, answered in text
 *     APP/1 refused=too_many_connections              or the reason why nothing follows
 *     APP/1 refused=tls_required key=…                with what has to be known to come back encrypted
 *
 * Pure. Unknown abilities are passed over, so that later versions can say more.
 */
import { AppError } from "../errors.ts";
import { BODY_BYTES_MAX, BODY_BYTES_MIN } from "../limits.ts";

/** How every line of ours begins, and how the format is told from others. */
export const OPENING_START = "APP/1";

/** What a side says of itself; all words are optional. */
export interface Abilities {
  /** Name and version of the program. */
  readonly agent?: string;
  /** The largest body of a frame that this side takes, in bytes. */
  readonly dataBytesMax: number;
  /** Of a client: the kinds of compression that it can, with commas between them. Of a server: the one to be used. */
  readonly compress?: string;
  /** Set when this side will not go on: the name of an error code. */
  readonly refused?: string;
  /** Of a server that refuses plain connections: its public key, as in a link. */
  readonly key?: string;
  /** Of a client with a link: its secret. Only ever sent encrypted, to who has proven the key. */
  readonly secret?: string;
}

export type Opening =
  | { readonly kind: "abilities"; readonly abilities: Abilities }
  | { readonly kind: "words"; readonly words: readonly string[] };

/** The line without its line feed. */
export function formatAbilities({ agent, dataBytesMax, compress, refused, key, secret }: Abilities): string {
  const words = refused ? { refused, key } : { agent, "data-max": dataBytesMax, compress, secret };
  const said = Object.entries(words).filter(([, value]) => value !== undefined);
  return [OPENING_START, ...said.map(([name, value]) => `${name}=${value}`)].join(" ");
}

/** What a line (without its line feed) says. Throws `malformed`. */
export function parseOpening(line: string): Opening {
  const [start, ...words] = line.trimEnd().split(" ");
  if (start !== OPENING_START) throw malformed(`it does not begin with ${OPENING_START}`);
  if (words.length > 0 && !words[0]!.includes("=")) return { kind: "words", words };
  const values = new Map<string, string>();
  for (const word of words) {
    const match = /^([a-z][a-z0-9-]*)=([\x21-\x7e]*)$/.exec(word);
    if (!match) throw malformed("a word of it is not of the form name=value");
    values.set(match[1]!, match[2]!);
  }
  return { kind: "abilities", abilities: abilitiesOf(values) };
}

function abilitiesOf(values: ReadonlyMap<string, string>): Abilities {
  const announced = values.get("data-max") ?? String(BODY_BYTES_MAX);
  if (!/^\d{1,15}$/.test(announced) || Number(announced) < BODY_BYTES_MIN) {
    throw malformed(`data-max is not a number from ${BODY_BYTES_MIN} on`);
  }
  const abilities: Record<string, string> = {};
  for (const name of ["agent", "compress", "refused", "key", "secret"] as const) {
    const value = values.get(name);
    if (value !== undefined) abilities[name] = value;
  }
  return { dataBytesMax: Math.min(Number(announced), BODY_BYTES_MAX), ...abilities };
}

function malformed(what: string): AppError {
  return new AppError("malformed", `Cannot read the opening line: ${what}`);
}
