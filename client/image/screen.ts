/**
 * How this terminal draws pictures: with the protocol of kitty or of iTerm2, which show in the environment, or in sixels,
 * for which the terminal itself has to be asked.
 */
import type { Terminal } from "../../protocol/cli/terminal.ts";
import { AppError } from "../../protocol/errors.ts";
import { quoteName } from "../../protocol/escape.ts";

export interface ImageScreen {
  readonly protocol: "kitty" | "iterm2" | "sixel";
  /** How wide a picture may be, in pixels. */
  readonly widthMax: number;
}

export type Environment = (name: string) => string | undefined;

/** About what a column of a terminal has that does not tell. */
const CELL_WIDTH = 8;
/** One that tells more has not understood the question. */
const CELL_WIDTH_MAX = 200;

const ITERM2_PROGRAMS = new Set(["iTerm.app", "WezTerm", "mintty"]);
const KITTY_TERMS = new Set(["xterm-kitty", "xterm-ghostty"]);

/** What the environment tells. Multiplexers pass neither protocol on. */
export function imageProtocolOf(environment: Environment): "kitty" | "iterm2" | undefined {
  const term = environment("TERM") ?? "";
  if (environment("TMUX") || /^(screen|tmux|dumb$)/.test(term)) return;
  const program = environment("TERM_PROGRAM") ?? "";
  if (KITTY_TERMS.has(term) || program === "ghostty") return "kitty";
  if (ITERM2_PROGRAMS.has(program) || environment("LC_TERMINAL") === "iTerm2") return "iterm2";
  if (environment("KITTY_WINDOW_ID")) return "kitty";
}

/** How `terminal` draws pictures; it may be asked, so what is typed meanwhile is told. Throws `failed` if it does not. */
export async function requireImageScreen(terminal: Terminal, environment: Environment): Promise<ImageScreen> {
  const protocol = terminal.showsResults ? imageProtocolOf(environment) : undefined;
  if (protocol) return { protocol, widthMax: terminal.columns * CELL_WIDTH };
  const mayAsk = terminal.showsResults && !["", "dumb"].includes(environment("TERM") ?? "");
  const screen = mayAsk ? await askForSixel(terminal) : undefined;
  if (screen) return screen;
  const why = terminal.showsResults ? "this terminal is not known to draw any" : "the output goes to no terminal";
  throw new AppError("failed", `Cannot show pictures: ${why}`, {
    advice:
      "Use a terminal with the protocol of kitty or iTerm2 or with sixel, or get the file and open it in a viewer",
  });
}

/**
 * How large is a cell, how large may sixels be (who does not know these says nothing; xterm tells only the second), and
 * what are you? Everybody answers that.
 */
const QUESTION = "\x1b[16t\x1b[?2;1;0S\x1b[c";
// deno-lint-ignore no-control-regex -- so answers begin
const CELL_SIZE = /\x1b\[6;\d+;(\d+)t/;
// deno-lint-ignore no-control-regex -- so answers begin
const SIXEL_SIZE = /\x1b\[\?2;0;(\d+);\d+S/;
// deno-lint-ignore no-control-regex -- so answers begin
const ATTRIBUTES = /\x1b\[\?([\d;]*)c/;
/** The attribute of terminals that draw sixels. */
const SIXEL = "4";

async function askForSixel(terminal: Terminal): Promise<ImageScreen | undefined> {
  const { answer, typed } = await terminal.query(QUESTION, ATTRIBUTES) ?? { answer: "", typed: "" };
  if (typed !== "") terminal.note(`What was typed meanwhile is lost: ${quoteName(typed)}\n`);
  const [, ...attributes] = ATTRIBUTES.exec(answer)?.[1]?.split(";") ?? [];
  if (!attributes.includes(SIXEL)) return;
  const told = Number(CELL_SIZE.exec(answer)?.[1]);
  const cellWidth = told > 0 && told <= CELL_WIDTH_MAX ? told : CELL_WIDTH;
  const widthMax = Number(SIXEL_SIZE.exec(answer)?.[1]) || Infinity;
  return { protocol: "sixel", widthMax: Math.min(terminal.columns * cellWidth, widthMax) };
}
