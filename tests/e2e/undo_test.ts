/** `app undo` as a user runs it: a push of the wrong directory, a pull, links, dry runs, and what cannot be undone. */
import { assert, assertEquals, assertStringIncludes } from "../support/assert.ts";
import { type Outcome, runApp, ServerProcess, temporaryDirectory } from "../support/program.ts";
import { describeTree } from "../support/random_tree.ts";

interface Yard extends AsyncDisposable {
  readonly path: string;
  readonly served: string;
  /** Runs a command with HOST PORT behind its name. */
  app(command: string, ...words: string[]): Promise<Outcome>;
  /** Runs a command without. */
  local(...words: string[]): Promise<Outcome>;
}

async function openYard(args: readonly string[] = ["--allow-overwrite", "--allow-remove"]): Promise<Yard> {
  const directory = temporaryDirectory();
  const [path, served] = [`${directory.path}/local`, `${directory.path}/served`];
  write(`${served}/2026/a.txt`, "as it was");
  write(`${served}/notes`, "as they were");
  Deno.chmodSync(`${served}/2026/a.txt`, 0o640);
  Deno.utimeSync(`${served}/2026`, 1_234_567, 1_234_567);
  write(`${path}/wrong/notes`, "others");
  write(`${path}/wrong/new`, "new");
  const server = await ServerProcess.start(served, args);
  const local = (...words: string[]) => runApp(words, { cwd: path });
  return {
    path,
    served,
    local,
    app: (command, ...words) => local(command, "127.0.0.1", server.port, ...words),
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

const LIST = "made      2026\nrestored  2026/a.txt\nremoved   new\nrestored  notes\n";

Deno.test("a push of the wrong directory is taken back, and --dry-run tells the same before", async () => {
  await using yard = await openYard();
  const before = describeTree(yard.served);
  assertEquals((await yard.app("push", "wrong", "--delete", "-q")).code, 0);
  const after = describeTree(yard.served);
  const dry = await yard.app("undo", "--dry-run");
  assertEquals([dry.code, dry.stdout], [0, `${LIST}4 names to undo.\n`]);
  assertStringIncludes(dry.stderr, "Undoing the run of ");
  assertEquals(describeTree(yard.served), after);
  const real = await yard.app("undo");
  assertEquals([real.code, real.stdout], [0, `${LIST}4 names undone.\n`]);
  assertEquals(describeTree(yard.served), before);
  const again = await yard.app("undo");
  assertEquals(again.code, 0);
  assertStringIncludes(again.stderr, "Undoing the undo of ");
  assertEquals(describeTree(yard.served), after);
});

Deno.test("a pull is taken back in the directory that it went into", async () => {
  await using yard = await openYard();
  write(`${yard.path}/copy/notes`, "mine");
  write(`${yard.path}/copy/own/x`, "mine");
  const before = describeTree(`${yard.path}/copy`);
  assertEquals((await yard.app("pull", "copy", "--delete")).code, 0);
  assertEquals(describeTree(`${yard.path}/copy`), describeTree(yard.served));
  const { code, stdout } = await yard.local("undo", "copy");
  assertEquals(code, 0, stdout);
  assertEquals(describeTree(`${yard.path}/copy`), before);
});

Deno.test("what was changed since is named, and the exit code says so", async () => {
  await using yard = await openYard();
  assertEquals((await yard.app("push", "wrong", "-q")).code, 0);
  write(`${yard.served}/notes`, "changed by somebody");
  const { code, stdout, stderr } = await yard.app("undo");
  assertEquals([code, stdout], [1, "removed   new\n1 name undone, 1 failed.\n"]);
  assertStringIncludes(stderr, '"notes" is left as it is: it was changed since');
  assertEquals(Deno.readTextFileSync(`${yard.served}/notes`), "changed by somebody");
});

Deno.test("without anything to undo, and with --trash off, that is said", async () => {
  await using yard = await openYard();
  for (const words of [[], ["push", "wrong", "--trash", "off", "-q"]]) {
    if (words.length > 0) assertEquals((await yard.app(words[0]!, ...words.slice(1))).code, 0);
    const { code, stdout, stderr } = await yard.app("undo");
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(stderr, "There is nothing to undo");
  }
  const local = await yard.local("undo", "wrong");
  assertEquals(local.code, 1);
  assertStringIncludes(local.stderr, "There is nothing to undo");
});

Deno.test("a server that was told to keep nothing says so to who insists, and makes no trash", async () => {
  await using yard = await openYard(["--allow-overwrite", "--allow-remove", "--trash", "off"]);
  const refused = await yard.app("push", "wrong", "--trash", "on");
  assertEquals([refused.code, refused.stdout], [1, ""]);
  assertStringIncludes(refused.stderr, "Nothing is done: what it replaces cannot be kept there");
  assertStringIncludes(refused.stderr, "Say --trash auto");
  assertEquals((await yard.app("push", "wrong", "-q")).code, 0);
  assertEquals([...Deno.readDirSync(yard.served)].some(({ name }) => name.startsWith(".app-")), false);
  assertStringIncludes((await yard.app("undo")).stderr, "There is nothing to undo");
});

Deno.test("--json has an event for the run, for each name, and for the end", async () => {
  await using yard = await openYard();
  assertEquals((await yard.app("push", "wrong", "-q")).code, 0);
  const { code, stdout, stderr } = await yard.app("undo", "--json");
  assertEquals([code, stderr], [0, ""]);
  const [{ time, ...begin }, ...events] = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert(Date.parse(time) > 0);
  assertEquals(begin, { event: "undoing", name: "", isUndo: false });
  assertEquals(events, [
    { event: "undone", action: "restore", name: "notes" },
    { event: "undone", action: "remove", name: "new" },
    { event: "done", count: 2, failed: 0, isDryRun: false },
  ]);
});

Deno.test("a server that takes no such changes refuses it", async () => {
  await using yard = await openYard([]);
  const { code, stderr } = await yard.app("undo");
  assertEquals(code, 1);
  assertStringIncludes(stderr, "the server does not let files be replaced");
});
