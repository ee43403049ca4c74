/**
 * Pictures on a terminal: which terminals can, which pictures they take, and the escape sequences that draw them.
 *
 * The terminal is known from the environment only: asking it would mean to read its answer from the keyboard. Nothing is
 * decoded here, so a terminal gets only what it can read by itself. Sixel is left out: it shows in no environment, and
 * would need every picture decoded and its colours reduced.
 */
import { AppError } from "../../protocol/errors.ts";
import type { Terminal } from "../../protocol/cli/terminal.ts";
import { describeHead, type ImageFacts } from "./describe.ts";

/** The largest file that is drawn. */
export const SHOWN_BYTES_MAX = 16 * 1_048_576;

export type ImageProtocol = "kitty" | "iterm2";

export type Environment = (name: string) => string | undefined;

const READABLE: Readonly<Record<ImageProtocol, readonly ImageFacts["type"][]>> = {
  kitty: ["PNG"],
  iterm2: ["PNG", "JPEG", "GIF", "WebP"],
};

const ITERM2_PROGRAMS = new Set(["iTerm.app", "WezTerm", "mintty"]);
const KITTY_TERMS = new Set(["xterm-kitty", "xterm-ghostty"]);

/** How this terminal draws pictures; `undefined` if it is not known to. Multiplexers pass nothing on. */
export function imageProtocolOf(environment: Environment): ImageProtocol | undefined {
  const term = environment("TERM") ?? "";
  if (environment("TMUX") || /^(screen|tmux|dumb$)/.test(term)) return;
  const program = environment("TERM_PROGRAM") ?? "";
  if (KITTY_TERMS.has(term) || program === "ghostty") return "kitty";
  if (ITERM2_PROGRAMS.has(program) || environment("LC_TERMINAL") === "iTerm2") return "iterm2";
  if (environment("KITTY_WINDOW_ID")) return "kitty";
}

/** How `terminal` draws pictures. Throws `failed` if it does not. */
export function requireImageProtocol(terminal: Terminal, environment: Environment): ImageProtocol {
  const protocol = terminal.showsResults ? imageProtocolOf(environment) : undefined;
  if (protocol) return protocol;
  const why = terminal.showsResults ? "this terminal is not known to draw any" : "the output goes to no terminal";
  throw new AppError("failed", `Cannot show pictures: ${why}`, {
    advice: "Use a terminal with the protocol of kitty or iTerm2, or get the file and open it in a viewer",
  });
}

/** Draws the picture of a whole file. Throws `failed` if that terminal cannot read it. */
export async function drawImage(terminal: Terminal, protocol: ImageProtocol, file: Uint8Array): Promise<void> {
  const image = await describeHead(file);
  if (!image || !READABLE[protocol].includes(image.type)) {
    const what = image ? `is a picture of the type ${image.type}` : "is no picture that app knows";
    throw new AppError("failed", `Cannot show it: it ${what}`, {
      advice: `This terminal draws ${READABLE[protocol].join(", ")}; get the file, and open it in a viewer`,
    });
  }
  const encoder = new TextEncoder();
  const sequences = protocol === "kitty" ? kittySequences(file, image, terminal.columns) : iterm2Sequences(file);
  for (const sequence of sequences) terminal.write(encoder.encode(sequence));
  terminal.write(encoder.encode("\n"));
}

/** The longest piece of a picture that kitty takes in one sequence, in letters of base64. */
const KITTY_PIECE_LENGTH = 4_096;

/** About what a column of a terminal has; a wider picture is fitted in. */
const PIXELS_PER_COLUMN = 8;

/** Draw it (`a=T`), it is a PNG (`f=100`), say nothing in answer (`q=2`), more pieces follow (`m=1`). */
function* kittySequences(file: Uint8Array, { width }: ImageFacts, columns: number): Generator<string> {
  const base64 = file.toBase64();
  const fit = width > columns * PIXELS_PER_COLUMN ? `,c=${columns}` : "";
  for (let at = 0; at < base64.length; at += KITTY_PIECE_LENGTH) {
    const more = at + KITTY_PIECE_LENGTH < base64.length ? 1 : 0;
    const keys = at === 0 ? `a=T,f=100,q=2${fit},m=${more}` : `m=${more}`;
    yield `\x1b_G${keys};${base64.slice(at, at + KITTY_PIECE_LENGTH)}\x1b\\`;
  }
}

function* iterm2Sequences(file: Uint8Array): Generator<string> {
  yield `\x1b]1337;File=inline=1;size=${file.length};preserveAspectRatio=1:${file.toBase64()}\x07`;
}
