/** Images: what `get` says of them, and drawing them on a terminal that can. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../support/assert.ts";
import { names } from "../support/names_in.ts";
import { runApp, ServerProcess, temporaryDirectory } from "../support/program.ts";
import { HAS_PYTHON } from "../support/python.ts";
import { TerminalProcess } from "../support/terminal_process.ts";

const FILES = new URL("../../fixtures/files/", import.meta.url).pathname;
const KITTY = { TERM: "xterm-kitty", TERM_PROGRAM: "", TMUX: "" };
const PLAIN = { ...KITTY, TERM: "xterm-256color", KITTY_WINDOW_ID: "", LC_TERMINAL: "" };
const DRAWN = "\x1b_Ga=T,f=100,q=2";

const onTerminal = (name: string, fn: () => Promise<void>) => Deno.test({ name, ignore: !HAS_PYTHON, fn });

Deno.test("get tells type and size of an image, and nothing of a file that only has such a name", async () => {
  using here = temporaryDirectory();
  using shared = temporaryDirectory();
  for (const name of ["img.jpg", "gradient.png", "logo.svg"]) Deno.copyFileSync(FILES + name, `${shared.path}/${name}`);
  Deno.writeTextFileSync(`${shared.path}/text.jpg`, "no image");
  Deno.writeTextFileSync(`${shared.path}/empty.png`, "");
  await using server = await ServerProcess.start(shared.path);
  const get = (...words: string[]) => runApp(["get", "127.0.0.1", server.port, ...words], { cwd: here.path });
  assertEquals(await get("img.jpg", "gradient.png", "logo.svg", "text.jpg", "empty.png"), {
    code: 0,
    stdout: `img.jpg successfully downloaded. (JPEG, 640 x 480, 96 KB)
gradient.png successfully downloaded. (PNG, 640 x 480, 309 KB)
logo.svg successfully downloaded. (SVG, 256 x 256, 554 B)
text.jpg successfully downloaded.
empty.png successfully downloaded.
`,
    stderr: "",
  });
  const { stdout } = await get("img.jpg", "--json", "--if-exists", "rename");
  const done = JSON.parse(stdout.trimEnd().split("\n").at(-1)!);
  assertEquals(done.image, { type: "JPEG", width: 640, height: 480 });
  assertEquals(done.storedAs, "img (2).jpg");
  assertEquals(
    "image" in JSON.parse((await get("text.jpg", "--json", "--output", "b")).stdout.split("\n").at(-2)!),
    false,
  );
});

Deno.test("where pictures cannot be drawn, get --show says so and succeeds, and show fails before it connects", async () => {
  using here = temporaryDirectory();
  await using server = await ServerProcess.start(FILES);
  const app = (...words: string[]) => runApp(words, { cwd: here.path, env: KITTY });
  const got = await app("get", "127.0.0.1", server.port, "gradient.png", "--show");
  assertEquals([got.code, got.stderr], [0, "Cannot show pictures: the output goes to no terminal\n"]);
  const shown = await app("show", "127.0.0.1", "1", "gradient.png");
  assertEquals([shown.code, shown.stdout], [1, ""]);
  assertStringIncludes(shown.stderr, "Cannot show pictures: the output goes to no terminal\n");
  assertEquals((await app("show", "127.0.0.1", server.port, "a.png", "--json")).code, 2);
  assertEquals(names(here.path), ["gradient.png"]);
});

onTerminal("show draws a picture in any format of the server, and leaves no file", async () => {
  using here = temporaryDirectory();
  await using server = await ServerProcess.start(FILES);
  for (const wire of ["app", "share", "image"]) {
    const words = ["show", "127.0.0.1", server.port, "gradient.png", "--wire", wire];
    await using app = new TerminalProcess(words, 100, { cwd: here.path, env: KITTY });
    assertEquals(await app.finished(), 0, app.shown);
    assertStringIncludes(app.shown, DRAWN);
    assert(app.shown.endsWith("\x1b\\\r\n"));
  }
  assertEquals(names(here.path), []);
});

onTerminal("get --show keeps the file and draws it, or says why not", async () => {
  using here = temporaryDirectory();
  await using server = await ServerProcess.start(FILES);
  const get = async (name: string, env: Record<string, string>) => {
    await using app = new TerminalProcess(["get", "127.0.0.1", server.port, name, "--show"], 100, {
      cwd: here.path,
      env,
    });
    assertEquals(await app.finished(), 0, app.shown);
    return app.shown;
  };
  assertStringIncludes(await get("gradient.png", KITTY), `(PNG, 640 x 480, 309 KB)\r\n${DRAWN}`);
  const refused = await get("img.jpg", KITTY);
  assertMatch(refused, /Cannot show it: it is a picture of the type JPEG\r\n$/);
  assertEquals(refused.includes("\x1b_G"), false);
  assertMatch(await get("apple.jpg", PLAIN), /Cannot show pictures: this terminal is not known to draw any\r\n/);
  assertEquals(names(here.path), ["apple.jpg", "gradient.png", "img.jpg"]);
});

onTerminal("show takes no file that is larger than what is drawn", async () => {
  using shared = temporaryDirectory();
  using here = temporaryDirectory();
  Deno.writeFileSync(`${shared.path}/large.png`, new Uint8Array(16 * 1_048_576 + 1));
  await using server = await ServerProcess.start(shared.path);
  for (const wire of ["app", "image"]) {
    const words = ["show", "127.0.0.1", server.port, "large.png", "--wire", wire];
    await using app = new TerminalProcess(words, 100, { cwd: here.path, env: KITTY });
    assertEquals(await app.finished(), 1);
    assertStringIncludes(app.shown, "Cannot show it: it is larger than 16777216 bytes");
  }
  assertEquals(names(here.path), []);
});
