/**
 * Asking the terminal itself, which answers on stdin like somebody who types very fast.
 *
 * Only `stty` can make a read of a terminal end by itself: a read that Deno has begun would go on, and take away what is
 * typed later. While the answer is waited for, no key ends the process, so the terminal never stays as it is then.
 */

/** An answer comes at once from this machine, and after a round trip from one far away. */
const SILENCE_MAX_DECISECONDS = 10;
const WAIT_MAX_MS = 3_000;
const ANSWER_BYTES_MAX = 4_096;

/** Ctrl-C, as a byte. */
const INTERRUPT = "\x03";

export interface TerminalAnswer {
  /** The answers, one behind the other; "" when none came in time. */
  readonly answer: string;
  /** What the person typed before and meanwhile: nobody else will get it. */
  readonly typed: string;
}

/**
 * Writes `question` and waits for what `last` matches: an answer that every terminal gives, asked for at the end.
 * `undefined` where nothing can be asked. Blocks for as long as it takes, at most three seconds.
 */
export function queryTerminal(
  question: string,
  last: RegExp,
  write: (text: string) => void,
): TerminalAnswer | undefined {
  const before = stty("-g");
  if (before === undefined) return;
  let heard: string;
  try {
    const isSet = stty("-icanon", "-echo", "-isig", "min", "0", "time", String(SILENCE_MAX_DECISECONDS));
    if (isSet === undefined) return;
    write(question);
    heard = readUntil(last);
  } finally {
    stty(before.trim());
  }
  const { answer, typed } = splitAnswers(heard);
  const interrupt = typed.lastIndexOf(INTERRUPT);
  if (interrupt >= 0) Deno.kill(Deno.pid, "SIGINT");
  return { answer, typed: decodeBytes(typed.slice(interrupt + 1)) };
}

/** What terminals answer to `ESC [ c`, `ESC [ ? 2 ; 1 ; 0 S`, `ESC [ 16 t` and their like; no key sends such a thing. */
// deno-lint-ignore no-control-regex -- that is how answers begin
const ANSWER = /\x1b\[(?:\?[\d;]*[cS]|[\d;]+t)/g;

/** Takes answers and keys apart, which come on one line. Pure. */
export function splitAnswers(heard: string): TerminalAnswer {
  return { answer: (heard.match(ANSWER) ?? []).join(""), typed: heard.replace(ANSWER, "") };
}

/** Each byte as one letter, up to what `last` matches or to a silence. */
function readUntil(last: RegExp): string {
  const deadline = performance.now() + WAIT_MAX_MS;
  const buffer = new Uint8Array(256);
  let heard = "";
  while (!last.test(heard) && heard.length < ANSWER_BYTES_MAX && performance.now() < deadline) {
    const count = Deno.stdin.readSync(buffer);
    if (!count) break;
    heard += String.fromCharCode(...buffer.subarray(0, count));
  }
  return heard;
}

function decodeBytes(letters: string): string {
  return new TextDecoder().decode(Uint8Array.from(letters, (letter) => letter.charCodeAt(0)));
}

/** By its whole name: what a search path leads to may be anybody's. */
const STTY = "/bin/stty";

/** What `stty` says of the terminal at stdin; `undefined` where there is none, or where it may not be run. */
function stty(...args: string[]): string | undefined {
  if (Deno.permissions.querySync({ name: "run", command: STTY }).state !== "granted") return;
  try {
    const { success, stdout } = new Deno.Command(STTY, { args, stdin: "inherit", stderr: "null" }).outputSync();
    return success ? new TextDecoder().decode(stdout) : undefined;
  } catch {
    return undefined; // Windows has none
  }
}
