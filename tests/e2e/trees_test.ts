/** Whole directories as a user moves them: output, exit codes, JSON, patterns, and what a server refuses. */
import { assert, assertEquals, assertStringIncludes } from "../support/assert.ts";
import { type Outcome, runApp, ServerProcess, temporaryDirectory } from "../support/program.ts";
import { describeTree } from "../support/random_tree.ts";

interface Yard extends AsyncDisposable {
  readonly path: string;
  readonly served: string;
  /** Runs a command with HOST PORT behind its name, in the directory that is not shared. */
  app(command: string, ...words: string[]): Promise<Outcome>;
}

/** A server with `args`, and a directory "local" beside the shared one, with `files`. */
async function openYard(files: Readonly<Record<string, string>>, args: readonly string[] = []): Promise<Yard> {
  const directory = temporaryDirectory();
  const [path, served] = [`${directory.path}/local`, `${directory.path}/served`];
  Deno.mkdirSync(path);
  Deno.mkdirSync(served);
  for (const [name, content] of Object.entries(files)) write(`${path}/${name}`, content);
  const server = await ServerProcess.start(served, args);
  return {
    path,
    served,
    app: (command, ...words) => runApp([command, "127.0.0.1", server.port, ...words], { cwd: path }),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      directory[Symbol.dispose]();
    },
  };
}

function write(path: string, content: string): void {
  Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  Deno.writeTextFileSync(path, content);
}

const ALL = ["--allow-overwrite", "--allow-remove"];

/** The summary without the figures of the wire, which depend on what is said there. */
function withoutWire(stdout: string): string {
  return stdout.replace(/[\d.]+ K?B on the wire/, "… on the wire");
}

Deno.test("push makes the other side like this one, and --dry-run tells the same before", async () => {
  await using yard = await openYard({ "src/a.txt": "one", "src/d/b.txt": "two" }, ALL);
  write(`${yard.served}/dst/old/x`, "x");
  const words = ["src", "dst", "--delete"];
  const dry = await yard.app("push", ...words, "--dry-run");
  assertEquals(Object.keys(describeTree(`${yard.served}/dst`)), ["old/", "old/x"]);
  const list = "made      d/\nnew       a.txt\nnew       d/b.txt\nremoved   old/x\nremoved   old\n";
  const figures = "0 unchanged, 2 to remove; … on the wire for a tree of 6 B.\n";
  assertEquals([dry.code, withoutWire(dry.stdout), dry.stderr], [0, `${list}2 files to send (6 B), ${figures}`, ""]);
  const real = await yard.app("push", ...words);
  const done = figures.replace("to remove", "removed");
  assertEquals([real.code, withoutWire(real.stdout), real.stderr], [0, `${list}2 files sent (6 B), ${done}`, ""]);
  assertEquals(describeTree(`${yard.served}/dst`), describeTree(`${yard.path}/src`));
});

Deno.test("pull makes this side like the other one, without REMOTE the whole shared directory", async () => {
  await using yard = await openYard({});
  write(`${yard.served}/d/a`, "one");
  Deno.symlinkSync("d/a", `${yard.served}/l`);
  write(`${yard.path}/copy/extra`, "x");
  const { code, stderr } = await yard.app("pull", "copy", "--delete");
  assertEquals([code, stderr], [0, ""]);
  assertEquals(describeTree(`${yard.path}/copy`), describeTree(yard.served));
  assertEquals((await yard.app("pull", "d", "only-d")).code, 0);
  assertEquals(Object.keys(describeTree(`${yard.path}/only-d`)), ["a"]);
});

Deno.test("get and put take directories, with times, the executable bit and empty directories", async () => {
  await using yard = await openYard({ "tree/run.sh": "#!/bin/sh\n", "tree/d/a": "1" });
  Deno.chmodSync(`${yard.path}/tree/run.sh`, 0o700);
  Deno.mkdirSync(`${yard.path}/tree/empty`);
  assertEquals((await yard.app("put", "tree", "tree/d/a")).code, 0);
  assertEquals(Object.keys(describeTree(yard.served)), [
    "a",
    "tree/",
    "tree/d/",
    "tree/d/a",
    "tree/empty/",
    "tree/run.sh",
  ]);
  assertEquals((await yard.app("get", "tree", "--output", "got/")).code, 0);
  for (const root of [`${yard.served}/tree`, `${yard.path}/got/tree`]) {
    const { mode, mtime } = Deno.statSync(`${root}/run.sh`);
    assertEquals([mode! & 0o100, mtime], [0o100, Deno.statSync(`${yard.path}/tree/run.sh`).mtime]);
    assertEquals(Deno.statSync(`${root}/d/a`).mode! & 0o111, 0);
  }
});

Deno.test("get and put again send nothing; a file that is another one is dealt with as --if-exists says", async () => {
  await using yard = await openYard({ "tree/a": "1", "tree/b": "2" }, ALL);
  assertEquals((await yard.app("put", "tree")).code, 0);
  const again = await yard.app("put", "tree");
  assertEquals([again.code, withoutWire(again.stdout)], [
    0,
    "0 files sent (0 B), 2 unchanged; … on the wire for a tree of 2 B.\n",
  ]);
  assertEquals((await yard.app("get", "tree")).code, 0, "it is here already, and the same");
  write(`${yard.path}/tree/a`, "changed");
  const refused = await yard.app("put", "tree");
  assertEquals(refused.code, 1);
  assertStringIncludes(refused.stderr, 'Cannot store "a": the name is taken');
  assertStringIncludes((await yard.app("put", "tree", "--if-exists", "skip")).stdout, "skipped   a\n");
  assertEquals((await yard.app("put", "tree", "--if-exists", "replace")).code, 0);
  assertEquals(Deno.readTextFileSync(`${yard.served}/tree/a`), "changed");
});

Deno.test("a directory here and a file there are told apart by get", async () => {
  await using yard = await openYard({ "x/a": "1" });
  write(`${yard.served}/x`, "a file");
  const { code, stderr } = await yard.app("get", "x");
  assertEquals(code, 1);
  assertStringIncludes(stderr, "the name is taken here");
});

Deno.test("a server that does not allow it names each file, and the rest goes on", async () => {
  await using yard = await openYard({ "src/new": "1", "src/old": "22" });
  write(`${yard.served}/old`, "1");
  write(`${yard.served}/extra`, "1");
  const { code, stdout, stderr } = await yard.app("push", "src", "--delete");
  assertEquals(code, 1);
  assertStringIncludes(stderr, 'May not overwrite "old": the server does not let files be replaced');
  assertStringIncludes(stderr, 'May not remove "extra": the server does not let files be removed');
  assertStringIncludes(stdout, "1 file sent (1 B), 0 unchanged, 2 failed;");
  assertEquals(Object.keys(describeTree(yard.served)), ["extra", "new", "old"]);
});

Deno.test("a read-only server takes nothing, and can be pulled from", async () => {
  await using yard = await openYard({ "src/a": "1" }, ["--read-only"]);
  write(`${yard.served}/b`, "1");
  const { code, stderr } = await yard.app("push", "src");
  assertEquals(code, 1);
  assertStringIncludes(stderr, "the server is read-only");
  assertEquals((await yard.app("pull", "got")).code, 0);
});

for (const way of ["push", "pull"] as const) {
  Deno.test(`${way} tells what it decided before the go-ahead, too`, async () => {
    await using yard = await openYard({}, ALL);
    const [from, to] = way === "push" ? [yard.path, yard.served] : [yard.served, yard.path];
    for (const at of [from, to]) {
      for (const name of ["a", "d/b"]) write(`${at}/tree/${name}`, at === from ? "longer than before" : "before");
      for (const name of ["tree/d", "tree"]) Deno.utimeSync(`${at}/${name}`, 1, 1);
    }
    const { code, stdout, stderr } = await yard.app(way, "tree", "tree");
    assertEquals([code, stderr], [0, ""]);
    assertEquals(stdout.split("\n").slice(0, 2), ["changed   a", "changed   d/b"]);
  });
}

for (const way of ["push", "pull"] as const) {
  Deno.test(`${way} --delete moves what was moved, and sends nothing of it`, async () => {
    const files = Object.fromEntries(
      Array.from({ length: 30 }, (_, index) => [`old/${index}`, `${index}`.repeat(9_000)]),
    );
    await using yard = await openYard({}, ALL);
    const [from, to] = way === "push" ? [yard.path, yard.served] : [yard.served, yard.path];
    for (const [name, content] of Object.entries({ ...files, name: "a file", "sub/f": "another" })) {
      write(`${from}/from/${name}`, content);
    }
    const words = ["from", "to"];
    assertEquals((await yard.app(way, ...words)).code, 0);
    Deno.renameSync(`${from}/from/old`, `${from}/from/new`);
    Deno.renameSync(`${from}/from/name`, `${from}/from/sub/other`);
    // Thirty files and one in one directory: not one of them counts.
    const more = ["--delete", "--max-delete", "0"];
    const dry = await yard.app(way, ...words, ...more, "--dry-run");
    const { code, stdout, stderr } = await yard.app(way, ...words, ...more);
    assertEquals([code, stderr], [0, ""]);
    assertStringIncludes(stdout, "moved     name -> sub/other\n");
    assertStringIncludes(stdout, "moved     old/29 -> new/29\n");
    const summary = "0 files sent (0 B), 1 unchanged, 31 moved, 1 removed; ";
    assertStringIncludes(stdout, summary);
    const list = (text: string) => text.slice(0, text.lastIndexOf("\n", text.length - 2));
    assertEquals(list(dry.stdout), list(stdout));
    assert(/; \d(\.\d)? KB on the wire for a tree of \d{3} KB/.test(stdout), stdout);
    assertEquals(describeTree(`${to}/to`), describeTree(`${from}/from`));
  });
}

Deno.test("a server that does not let files be removed gets those sent that were moved", async () => {
  await using yard = await openYard({ "src/new": "content" });
  write(`${yard.served}/old`, "content");
  const { code, stdout, stderr } = await yard.app("push", "src", "--delete");
  assertEquals(code, 1);
  assertStringIncludes(stderr, 'May not remove "old": the server does not let files be removed');
  assertStringIncludes(stdout, "new       new\n1 file sent (7 B), 0 unchanged, 1 failed;");
  assertEquals(Object.keys(describeTree(yard.served)), ["new", "old"]);
});

Deno.test("with --json a move says from where", async () => {
  await using yard = await openYard({ "src/b": "content" }, ALL);
  write(`${yard.served}/a`, "content");
  for (const path of [`${yard.path}/src/b`, `${yard.served}/a`]) Deno.utimeSync(path, 1, 1);
  const { stdout } = await yard.app("push", "src", "--delete", "--json");
  const events = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(events.filter(({ event }) => event === "planned"), [
    { event: "planned", action: "move", name: "b", from: "a" },
  ]);
  const { files, moved, removed } = events.at(-1);
  assertEquals([files, moved, removed], [0, 1, 0]);
});

Deno.test("more than --max-delete removes nothing, and says what to do", async () => {
  await using yard = await openYard({ "src/a": "one" }, ALL);
  ["x", "y", "z"].forEach((name) => write(`${yard.served}/${name}`, "1"));
  const refused = await yard.app("push", "src", "--delete", "--max-delete", "2");
  assertEquals(refused.code, 1);
  assertStringIncludes(refused.stderr, "Nothing is removed: it would be more than 2");
  assertStringIncludes(refused.stderr, "--max-delete N");
  assertEquals(Object.keys(describeTree(yard.served)), ["a", "x", "y", "z"]);
  assertEquals((await yard.app("push", "src", "--delete", "--max-delete", "3")).code, 0);
  assertEquals(Object.keys(describeTree(yard.served)), ["a"]);
});

Deno.test("patterns are those of .gitignore, from a file and from options, and protect the other side", async () => {
  await using yard = await openYard({
    "src/.ignore": "*.log\n/build/\n",
    "src/a": "1",
    "src/b.log": "1",
    "src/keep.log": "1",
    "src/build/x": "1",
    "src/d/build/x": "1",
    "src/tmp": "1",
  }, ALL);
  write(`${yard.served}/there.log`, "1");
  write(`${yard.served}/gone`, "1");
  const patterns = ["--exclude-from", "src/.ignore", "--exclude", "tmp", "--include", "keep.log"];
  const { code, stderr } = await yard.app("push", "src", "--delete", ...patterns);
  assertEquals([code, stderr], [0, ""]);
  assertEquals(Object.keys(describeTree(yard.served)), [
    ...[".ignore", "a", "d/", "d/build/", "d/build/x", "keep.log", "there.log"],
  ]);
  assertEquals((await yard.app("pull", "got", "--exclude", "d")).code, 0);
  assert(!Object.keys(describeTree(`${yard.path}/got`)).some((name) => name.startsWith("d/")));
});

Deno.test("--json has an event for each action and each failure, and the figures at the end", async () => {
  await using yard = await openYard({ "src/a": "1", "src/b": "22" });
  write(`${yard.served}/b`, "1");
  const { code, stdout, stderr } = await yard.app("push", "src", "--json", "--no-flush");
  assertEquals([code, stderr], [1, ""]);
  const events = stdout.trimEnd().split("\n").map((line) => JSON.parse(line)).filter(({ event }) =>
    event !== "progress"
  );
  const { bytesOnWire, ...tally } = events.pop();
  assert(bytesOnWire > 0);
  const figures = { files: 1, fileBytes: 1, unchanged: 0, skipped: 0, removed: 0, failed: 1, moved: 0, sizeBytes: 3 };
  assertEquals(tally, { event: "tally", name: "src", ...figures, isDryRun: false });
  assertEquals(events.map(({ event, action, name, code }) => [event, name, action ?? code]), [
    ["error", "b", "overwrite_denied"],
    ["planned", "a", "create"],
  ]);
});

Deno.test("a directory that is not there is an error, with what to do", async () => {
  await using yard = await openYard({});
  for (const [command, words] of [["push", ["none"]], ["pull", ["none", "here"]]] as const) {
    const { code, stdout, stderr } = await yard.app(command, ...words);
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(stderr, "there is nothing under that name");
  }
});
