/**
 * Pictures on a terminal: which pictures it takes, and the escape sequences that draw them.
 *
 * For the protocols of kitty and iTerm2 nothing is decoded here, so such a terminal gets only what it can read by
 * itself. One that draws sixels gets pixels of what we can decode.
 */
import { AppError } from "../../protocol/errors.ts";
import type { Terminal } from "../../protocol/cli/terminal.ts";
import { describeHead, type ImageFacts } from "./describe.ts";
import type { ImageScreen } from "./screen.ts";

/** The largest file that is drawn. */
export const SHOWN_BYTES_MAX = 16 * 1_048_576;

const READABLE: Readonly<Record<ImageScreen["protocol"], readonly ImageFacts["type"][]>> = {
  kitty: ["PNG"],
  iterm2: ["PNG", "JPEG", "GIF", "WebP"],
  sixel: ["PNG", "JPEG", "GIF"],
};

/** Draws the picture of a whole file. Throws `failed` if it cannot be read, or not on that terminal. */
export async function drawImage(terminal: Terminal, screen: ImageScreen, file: Uint8Array): Promise<void> {
  const { protocol } = screen;
  const image = await describeHead(file);
  if (!image || !READABLE[protocol].includes(image.type)) {
    const what = image ? `is a picture of the type ${image.type}` : "is no picture that app knows";
    throw new AppError("failed", `Cannot show it: it ${what}`, {
      advice: `This terminal draws ${READABLE[protocol].join(", ")}; get the file, and open it in a viewer`,
    });
  }
  const encoder = new TextEncoder();
  for (const sequence of await SEQUENCES[protocol](file, image, screen.widthMax, terminal.columns)) {
    terminal.write(encoder.encode(sequence));
  }
  terminal.write(encoder.encode("\n"));
}

/** What draws a picture in a width of so many pixels, which are so many columns. */
type Sequences = (
  file: Uint8Array,
  image: ImageFacts,
  widthMax: number,
  columns: number,
) => Iterable<string> | Promise<Iterable<string>>;

const SEQUENCES: Readonly<Record<ImageScreen["protocol"], Sequences>> = {
  kitty: kittySequences,
  iterm2: iterm2Sequences,
  sixel: async (file, image, widthMax) => [await (await import("./sixel.ts")).sixelSequence(file, image, widthMax)],
};

/** The longest piece of a picture that kitty takes in one sequence, in letters of base64. */
const KITTY_PIECE_LENGTH = 4_096;

/** Draw it (`a=T`), it is a PNG (`f=100`), say nothing in answer (`q=2`), more pieces follow (`m=1`). */
function* kittySequences(
  file: Uint8Array,
  { width }: ImageFacts,
  widthMax: number,
  columns: number,
): Generator<string> {
  const base64 = file.toBase64();
  const fit = width > widthMax ? `,c=${columns}` : "";
  for (let at = 0; at < base64.length; at += KITTY_PIECE_LENGTH) {
    const more = at + KITTY_PIECE_LENGTH < base64.length ? 1 : 0;
    const keys = at === 0 ? `a=T,f=100,q=2${fit},m=${more}` : `m=${more}`;
    yield `\x1b_G${keys};${base64.slice(at, at + KITTY_PIECE_LENGTH)}\x1b\\`;
  }
}

function* iterm2Sequences(file: Uint8Array): Generator<string> {
  yield `\x1b]1337;File=inline=1;size=${file.length};preserveAspectRatio=1:${file.toBase64()}\x07`;
}
