// deno-lint-ignore-file no-control-regex -- escape sequences are what this is about
/** The escape sequences that draw a picture, and what is said of one that a terminal cannot read. */
import { drawImage } from "../../../client/image/draw.ts";
import type { ImageScreen } from "../../../client/image/screen.ts";
import { FakeTerminal } from "../../cli/fake_terminal.ts";
import { assert, assertEquals, assertMatch, assertRejectsCode, assertStringIncludes } from "../../support/assert.ts";
import { readSixels } from "./sixels.ts";

const FILES = new URL("../../../fixtures/files/", import.meta.url);
const PNG = Deno.readFileSync(new URL("gradient.png", FILES));
const JPEG = Deno.readFileSync(new URL("img.jpg", FILES));
const SVG = Deno.readFileSync(new URL("logo.svg", FILES));

/** What the terminal got, and nothing but that. */
async function drawn(
  protocol: ImageScreen["protocol"],
  file: Uint8Array,
  columns = 80,
  widthMax = columns * 8,
): Promise<string> {
  const terminal = new FakeTerminal({ showsResults: true, columns });
  await drawImage(terminal, { protocol, widthMax }, file);
  assertEquals([terminal.results, terminal.notes], [[], []]);
  return new TextDecoder().decode(Uint8Array.from(terminal.written));
}

Deno.test("kitty gets a PNG as it is, in pieces of 4096 letters of which only the last says that it is", async () => {
  const sequences = (await drawn("kitty", PNG)).split("\x1b\\");
  assertEquals(sequences.pop(), "\n");
  const pieces = sequences.map((sequence) => /^\x1b_G([^;]*);([A-Za-z0-9+/=]+)$/.exec(sequence)!.slice(1));
  assertEquals(pieces[0]![0], "a=T,f=100,q=2,m=1");
  assertEquals(new Set(pieces.slice(1, -1).map(([keys]) => keys)), new Set(["m=1"]));
  assertEquals(pieces.at(-1)![0], "m=0");
  assert(pieces.slice(0, -1).every(([, data]) => data!.length === 4_096));
  const content = atob(pieces.map(([, data]) => data).join(""));
  assertEquals(Uint8Array.from(content, (letter) => letter.charCodeAt(0)), PNG);
});

Deno.test("a picture wider than the terminal is fitted in", async () => {
  assertMatch(await drawn("kitty", PNG, 40), /^\x1b_Ga=T,f=100,q=2,c=40,m=1;/);
});

const ITERM2_SEQUENCE = /^\x1b\]1337;File=inline=1;size=(\d+);preserveAspectRatio=1:([A-Za-z0-9+/=]+)\x07\n$/;

Deno.test("iTerm2 gets any picture that it reads as one sequence", async () => {
  for (const file of [PNG, JPEG]) {
    const text = await drawn("iterm2", file);
    const [, size, data] = ITERM2_SEQUENCE.exec(text)!;
    assertEquals(Number(size), file.length);
    assertEquals(Uint8Array.from(atob(data!), (letter) => letter.charCodeAt(0)), file);
  }
});

Deno.test("sixels are as wide as the terminal at most, and a line end follows", async () => {
  const text = await drawn("sixel", JPEG, 40, 400);
  assertEquals([text.at(-1), readSixels(text.slice(0, -1)).width], ["\n", 400]);
  assertEquals(readSixels((await drawn("sixel", JPEG, 90, 900)).slice(0, -1)).width, 640);
});

Deno.test("what a terminal cannot read is said, and nothing of it gets there", async () => {
  const cases = [["kitty", JPEG, "type JPEG"], ["kitty", SVG, "type SVG"], ["iterm2", SVG, "type SVG"], [
    "sixel",
    SVG,
    "type SVG",
  ], [
    "iterm2",
    new TextEncoder().encode("\x1b]0;hello\x07"),
    "no picture that app knows",
  ]] as const;
  for (const [protocol, file, why] of cases) {
    const terminal = new FakeTerminal({ showsResults: true });
    const error = await assertRejectsCode(() => drawImage(terminal, { protocol, widthMax: 640 }, file), "failed");
    assertStringIncludes(error.message, why);
    assertEquals(terminal.written, []);
  }
});
