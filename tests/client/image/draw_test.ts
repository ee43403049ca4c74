// deno-lint-ignore-file no-control-regex -- escape sequences are what this is about
/** Which terminals draw pictures, and the escape sequences that they get. */
import { drawImage, imageProtocolOf, requireImageProtocol } from "../../../client/image/draw.ts";
import { FakeTerminal } from "../../cli/fake_terminal.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejectsCode,
  assertStringIncludes,
  assertThrowsCode,
} from "../../support/assert.ts";

const FILES = new URL("../../../fixtures/files/", import.meta.url);
const PNG = Deno.readFileSync(new URL("gradient.png", FILES));
const JPEG = Deno.readFileSync(new URL("img.jpg", FILES));
const SVG = Deno.readFileSync(new URL("logo.svg", FILES));

const environment = (variables: Readonly<Record<string, string>>) => (name: string) => variables[name];

const TERMINALS: readonly (readonly [variables: Record<string, string>, protocol: "kitty" | "iterm2" | undefined])[] = [
  [{ TERM: "xterm-kitty", KITTY_WINDOW_ID: "1" }, "kitty"],
  [{ TERM: "xterm-256color", KITTY_WINDOW_ID: "1" }, "kitty"],
  [{ TERM: "xterm-ghostty" }, "kitty"],
  [{ TERM: "xterm-256color", TERM_PROGRAM: "ghostty" }, "kitty"],
  [{ TERM: "xterm-256color", TERM_PROGRAM: "iTerm.app" }, "iterm2"],
  [{ TERM: "xterm-256color", TERM_PROGRAM: "WezTerm" }, "iterm2"],
  [{ TERM: "xterm-256color", LC_TERMINAL: "iTerm2" }, "iterm2"],
  [{ TERM: "xterm-256color" }, undefined],
  [{ TERM: "xterm-256color", TERM_PROGRAM: "Apple_Terminal" }, undefined],
  [{ TERM: "screen-256color", TERM_PROGRAM: "iTerm.app" }, undefined],
  [{ TERM: "xterm-kitty", TMUX: "/tmp/tmux" }, undefined],
  [{ TERM: "dumb", KITTY_WINDOW_ID: "1" }, undefined],
  [{}, undefined],
];

for (const [variables, protocol] of TERMINALS) {
  Deno.test(`${JSON.stringify(variables)} draws ${protocol ?? "nothing"}`, () => {
    const terminal = new FakeTerminal({ showsResults: true });
    assertEquals(imageProtocolOf(environment(variables)), protocol);
    const find = () => requireImageProtocol(terminal, environment(variables));
    if (protocol) assertEquals(find(), protocol);
    else assertStringIncludes(assertThrowsCode(find, "failed").message, "not known to draw any");
  });
}

Deno.test("nothing is drawn into a file or a pipe, whatever the terminal", () => {
  const find = () => requireImageProtocol(new FakeTerminal(), environment({ TERM: "xterm-kitty" }));
  assertStringIncludes(assertThrowsCode(find, "failed").message, "the output goes to no terminal");
});

/** What the terminal got, and nothing but that. */
async function drawn(protocol: "kitty" | "iterm2", file: Uint8Array, columns = 80): Promise<string> {
  const terminal = new FakeTerminal({ showsResults: true, columns });
  await drawImage(terminal, protocol, file);
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

Deno.test("what a terminal cannot read is said, and nothing of it gets there", async () => {
  const cases = [["kitty", JPEG, "type JPEG"], ["kitty", SVG, "type SVG"], ["iterm2", SVG, "type SVG"], [
    "iterm2",
    new TextEncoder().encode("\x1b]0;hello\x07"),
    "no picture that app knows",
  ]] as const;
  for (const [protocol, file, why] of cases) {
    const terminal = new FakeTerminal({ showsResults: true });
    const error = await assertRejectsCode(() => drawImage(terminal, protocol, file), "failed");
    assertStringIncludes(error.message, why);
    assertEquals(terminal.written, []);
  }
});
