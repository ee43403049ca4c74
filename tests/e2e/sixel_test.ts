/** Sixels on a terminal of its own, which is asked whether it draws them, and answers or does not. */
import { readSixels } from "../client/image/sixels.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { names } from "../support/names_in.ts";
import { ServerProcess, temporaryDirectory } from "../support/program.ts";
import { HAS_PYTHON } from "../support/python.ts";
import { CTRL_C, TerminalProcess } from "../support/terminal_process.ts";

const FILES = new URL("../../fixtures/files/", import.meta.url).pathname;
const env = { TERM: "xterm-256color", TERM_PROGRAM: "", TMUX: "", KITTY_WINDOW_ID: "", LC_TERMINAL: "" };
// deno-lint-ignore no-control-regex -- that is what a terminal is asked
const QUESTION = /\x1b\[16t\x1b\[\?2;1;0S\x1b\[c/;
const CELLS = "\x1b[6;20;10t";
const WITH_SIXEL = "\x1b[?62;4;22c";
const WITHOUT = "\x1b[?62;22c";

const test = (name: string, fn: () => Promise<void>) => Deno.test({ name, ignore: !HAS_PYTHON, fn });

/** The sequence in what was shown; a terminal puts a carriage return before each line feed. */
function sixelsIn(shown: string) {
  // deno-lint-ignore no-control-regex -- that is how it begins and ends
  const [sequence] = /\x1bP[^]*\x1b\\/.exec(shown.replaceAll("\r\n", "\n")) ?? [];
  return sequence === undefined ? undefined : readSixels(sequence);
}

test("show and get --show draw on a terminal that says that it can, in the width that it says", async () => {
  using here = temporaryDirectory();
  await using server = await ServerProcess.start(FILES);
  for (
    const [words, answer, width] of [
      [["show", "127.0.0.1", server.port, "img.jpg"], CELLS + WITH_SIXEL, 400],
      [["show", "127.0.0.1", server.port, "gradient.png"], WITH_SIXEL, 320],
      [["get", "127.0.0.1", server.port, "img.jpg", "--show"], CELLS + WITH_SIXEL, 400],
    ] as const
  ) {
    await using app = new TerminalProcess(words, 40, { cwd: here.path, env });
    await app.until(QUESTION);
    for (const byte of answer) await app.type(byte);
    assertEquals(await app.finished(), 0, app.shown);
    assertEquals(sixelsIn(app.shown)?.width, width);
    assertEquals(app.shown.includes("?62;"), false, "the answer was shown");
  }
  assertEquals(names(here.path), ["img.jpg"]);
});

test("a terminal that says that it cannot, or says nothing, gets no sixels, and the file is got all the same", async () => {
  using here = temporaryDirectory();
  await using server = await ServerProcess.start(FILES);
  for (const [name, answer] of [["img.jpg", WITHOUT], ["apple.jpg", ""]] as const) {
    await using app = new TerminalProcess(["get", "127.0.0.1", server.port, name, "--show"], 80, {
      cwd: here.path,
      env,
    });
    await app.until(QUESTION);
    await app.type(answer);
    assertEquals(await app.finished(), 0, app.shown);
    assertMatch(app.shown, /Cannot show pictures: this terminal is not known to draw any\r\n/);
    assertEquals(sixelsIn(app.shown), undefined);
  }
  assertEquals(names(here.path), ["apple.jpg", "img.jpg"]);
});

test("what is typed while the terminal is asked is not taken for its answer, and is told", async () => {
  await using server = await ServerProcess.start(FILES);
  await using app = new TerminalProcess(["show", "127.0.0.1", server.port, "img.jpg"], 40, { env });
  await app.until(QUESTION);
  await app.type(`ü4c\r${WITH_SIXEL}`);
  assertEquals(await app.finished(), 0, app.shown);
  assertMatch(app.shown, /What was typed meanwhile is lost: "ü4c\\u\{a\}"\r\n/);
  assert(sixelsIn(app.shown), app.shown);
});

test("a question to the person comes first, and gets all lines that were typed ahead of it", async () => {
  await using server = await ServerProcess.start(FILES);
  await using app = new TerminalProcess(["show"], 40, { env });
  await app.type(`127.0.0.1\n${server.port}\nimg.jpg\n`);
  await app.until(QUESTION);
  await app.type(WITH_SIXEL);
  assertEquals(await app.finished(), 0, app.shown);
  assertEquals(app.shown.includes("What was typed"), false, app.shown);
  assert(sixelsIn(app.shown), app.shown);
});

test("Ctrl-C while the terminal is asked interrupts, and the terminal is as it was", async () => {
  using here = temporaryDirectory();
  const script = `stty > before; "$@"; echo "code $?"; stty > after`;
  await using server = await ServerProcess.start(FILES);
  const words = ["show", "127.0.0.1", server.port, "img.jpg"];
  await using app = new TerminalProcess(words, 40, { cwd: here.path, env, through: ["sh", "-c", script, "sh"] });
  await app.until(QUESTION);
  await app.type(CTRL_C);
  await app.type(WITH_SIXEL);
  await app.finished();
  assertMatch(app.shown, /code 130\r\n$/);
  assertEquals(Deno.readTextFileSync(`${here.path}/after`), Deno.readTextFileSync(`${here.path}/before`));
});
