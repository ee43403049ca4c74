/** Which terminals draw pictures: what shows in the environment, and what they answer when they are asked. */
import { imageProtocolOf, requireImageScreen } from "../../../client/image/screen.ts";
import { splitAnswers } from "../../../protocol/cli/query.ts";
import { FakeTerminal } from "../../cli/fake_terminal.ts";
import { assertEquals, assertRejectsCode, assertStringIncludes } from "../../support/assert.ts";

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
  Deno.test(`${JSON.stringify(variables)} draws ${protocol ?? "nothing"}`, async () => {
    const terminal = new FakeTerminal({ showsResults: true });
    assertEquals(imageProtocolOf(environment(variables)), protocol);
    const find = () => requireImageScreen(terminal, environment(variables));
    if (protocol) assertEquals([await find(), terminal.queries], [{ protocol, widthMax: 640 }, []]);
    else assertStringIncludes((await assertRejectsCode(find, "failed")).message, "not known to draw any");
    const isAsked = !protocol && !["dumb", undefined].includes(variables.TERM);
    assertEquals(terminal.queries, isAsked ? ["\x1b[16t\x1b[?2;1;0S\x1b[c"] : []);
  });
}

Deno.test("nothing is drawn into a file or a pipe, whatever the terminal, and nobody is asked", async () => {
  for (const TERM of ["xterm-kitty", "xterm"]) {
    const terminal = new FakeTerminal();
    const find = () => requireImageScreen(terminal, environment({ TERM }));
    assertStringIncludes((await assertRejectsCode(find, "failed")).message, "the output goes to no terminal");
    assertEquals(terminal.queries, []);
  }
});

/** What terminals answer; `undefined` for those that draw no sixels. */
const ANSWERS: readonly (readonly [answer: string, widthMax: number | undefined])[] = [
  ["\x1b[6;20;10t\x1b[?62;4;6;22c", 800],
  ["\x1b[?1;2;4c", 640],
  ["\x1b[6;0;0t\x1b[?64;1;4c", 640],
  ["\x1b[6;900;900t\x1b[?64;1;4c", 640],
  ["\x1b[?2;0;600;650S\x1b[?63;1;2;4c", 600],
  ["\x1b[6;20;10t\x1b[?2;0;9999;9999S\x1b[?62;4c", 800],
  ["\x1b[?2;3S\x1b[?62;4c", 640],
  ["\x1b[?62;6;22c", undefined],
  ["\x1b[?1;2c", undefined],
  ["\x1b[?4c", undefined],
  ["\x1b[?4;6c", undefined],
  ["\x1b[?62;14;40c", undefined],
  ["\x1b[6;20;4t", undefined],
  ["", undefined],
];

for (const [answer, widthMax] of ANSWERS) {
  Deno.test(`a terminal that answers ${JSON.stringify(answer)} draws ${widthMax ? "sixels" : "nothing"}`, async () => {
    const terminal = new FakeTerminal({ showsResults: true });
    terminal.reply = { answer, typed: "" };
    const find = () => requireImageScreen(terminal, environment({ TERM: "xterm-256color", TMUX: "/tmp/tmux" }));
    if (widthMax) assertEquals(await find(), { protocol: "sixel", widthMax });
    else await assertRejectsCode(find, "failed");
    assertEquals(terminal.notes, []);
  });
}

Deno.test("what was typed meanwhile is told, and escaped", async () => {
  const terminal = new FakeTerminal({ showsResults: true });
  terminal.reply = { answer: "\x1b[?62;4c", typed: "ls\x1b[A\n" };
  await requireImageScreen(terminal, environment({ TERM: "xterm" }));
  assertEquals(terminal.noted, 'What was typed meanwhile is lost: "ls\\u{1b}[A\\u{a}"\n');
});

Deno.test("answers are told from keys and text, wherever they come", () => {
  const keys = ["\x1b[A", "\x1bOP", "\x1b[1;5C", "\x1b[200~", ";?4c[6;20;10t", "\x1b[I", "\x1b[3~", "\xc3\xbc", "\x1b"];
  const answer = "\x1b[6;20;10t\x1b[?2;0;600;650S\x1b[?62;4c";
  for (let at = 0; at <= keys.length; at++) {
    const heard = [...keys.slice(0, at), answer, ...keys.slice(at)].join("");
    assertEquals(splitAnswers(heard), { answer, typed: keys.join("") });
  }
});
