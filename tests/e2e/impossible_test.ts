/** `--if-impossible` as a user meets it: what is said, the exit code, and that nothing or the rest is done. */
import { assert, assertEquals, assertStringIncludes } from "../support/assert.ts";
import { CaseIgnoringDisk, caseIgnoringDiskFault } from "../support/case_ignoring_disk.ts";
import { type Outcome, runApp, ServerProcess, temporaryDirectory } from "../support/program.ts";
import { describeTree } from "../support/random_tree.ts";
import { SmallDisk, smallDiskFault } from "../support/small_disk.ts";

interface Yard extends AsyncDisposable {
  readonly path: string;
  readonly served: string;
  app(command: string, ...words: string[]): Promise<Outcome>;
}

/** A server over `served`, and a directory "local" with `files`. */
async function openYard(
  files: Readonly<Record<string, string | number>>,
  { args = [] as readonly string[], served = undefined as string | undefined } = {},
): Promise<Yard> {
  const directory = temporaryDirectory();
  const path = `${directory.path}/local`;
  const shared = served ?? `${directory.path}/served`;
  for (const made of [path, shared]) Deno.mkdirSync(made, { recursive: true });
  for (const [name, content] of Object.entries(files)) write(`${path}/${name}`, content);
  const server = await ServerProcess.start(shared, args);
  return {
    path,
    served: shared,
    app: (command, ...words) => runApp([command, "127.0.0.1", server.port, ...words], { cwd: path }),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      directory[Symbol.dispose]();
    },
  };
}

function write(path: string, content: string | number): void {
  Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  if (typeof content === "string") return Deno.writeTextFileSync(path, content);
  Deno.writeFileSync(path, new Uint8Array(content));
}

const ALL = ["--allow-overwrite", "--allow-remove"];

for (const command of ["push", "put"]) {
  Deno.test(`${command} does nothing when a name is impossible, says which and what to do, and skip does the rest`, async () => {
    await using yard = await openYard({ "src/a": "1", "src/d/nul": "2", "src/d/x ": "3" }, { args: ALL });
    const stopped = await yard.app(command, "src");
    assertEquals([stopped.code, stopped.stdout], [1, ""]);
    assertStringIncludes(stopped.stderr, 'Cannot send "d/nul": it has a device name');
    assertStringIncludes(stopped.stderr, 'Cannot send "d/x ": it has a part that ends in a dot or a space');
    assertStringIncludes(stopped.stderr, "Nothing is done: these 2 cannot be stored there");
    assertStringIncludes(stopped.stderr, "Say --if-impossible skip");
    assertEquals(describeTree(yard.served), {});
    const skipped = await yard.app(command, "src", "--if-impossible", "skip");
    assertEquals(skipped.code, 1);
    assertStringIncludes(skipped.stdout, "1 file sent (1 B), 0 unchanged, 2 failed;");
    assert(Object.keys(describeTree(yard.served)).some((name) => /(^|\/)a$/.test(name)));
  });
}

for (const command of ["pull", "get"]) {
  Deno.test(`${command} does nothing when a name is impossible, and makes no directory; skip does the rest`, async () => {
    await using yard = await openYard({});
    write(`${yard.served}/d/a`, "1");
    write(`${yard.served}/d/nul`, "2");
    const words = command === "pull" ? ["d", "new/got"] : ["d"];
    const stopped = await yard.app(command, ...words);
    assertEquals([stopped.code, stopped.stdout], [1, ""]);
    assertStringIncludes(stopped.stderr, 'Cannot send "nul": it has a device name');
    assertStringIncludes(stopped.stderr, "Nothing is done: that one cannot be stored there");
    assertEquals(describeTree(yard.path), {});
    const skipped = await yard.app(command, ...words, "--if-impossible", "skip");
    assertEquals(skipped.code, 1);
    assertStringIncludes(skipped.stdout, "1 file sent (1 B), 0 unchanged, 1 failed;");
    assertStringIncludes(skipped.stderr, 'Cannot send "nul": it has a device name');
  });
}

Deno.test("--dry-run finds the same, and a run without anything impossible is as it was", async () => {
  await using yard = await openYard({ "src/a": "1", "src/nul": "2" });
  const dry = await yard.app("push", "src", "--dry-run");
  assertEquals([dry.code, dry.stdout], [1, ""]);
  assertStringIncludes(dry.stderr, "Nothing is done");
  Deno.removeSync(`${yard.path}/src/nul`);
  assertEquals((await yard.app("push", "src", "--dry-run")).code, 0);
});

Deno.test("a file over the limit stops a push, unless it is there already; skip sends the others", async () => {
  await using yard = await openYard({ "src/large": 3_000, "src/small": 10 }, {
    args: [...ALL, "--max-file-size", "2000"],
  });
  const stopped = await yard.app("push", "src");
  assertEquals([stopped.code, stopped.stdout], [1, ""]);
  assertStringIncludes(stopped.stderr, 'Cannot store "large": files over 2000 bytes are not taken');
  assertEquals(describeTree(yard.served), {});
  const skipped = await yard.app("push", "src", "--if-impossible", "skip");
  assertEquals([skipped.code, Object.keys(describeTree(yard.served))], [1, ["small"]]);
  write(`${yard.served}/large`, 3_000);
  const { mtime } = Deno.statSync(`${yard.path}/src/large`);
  Deno.utimeSync(`${yard.served}/large`, mtime!, mtime!);
  assertEquals((await yard.app("push", "src")).code, 0);
});

Deno.test("a disk without room stops a push and a pull before the first byte, and skip stores what fits", async () => {
  const fault = smallDiskFault();
  if (fault) return console.log(`skipped: ${fault}`);
  using disk = new SmallDisk({ sizeBytes: 4 * 1_048_576 });
  const files = { "src/a": 1_500_000, "src/b": 1_500_000, "src/c": 1_500_000 };
  await using yard = await openYard(files, { served: disk.path, args: [...ALL, "--keep-free", "0"] });
  const stopped = await yard.app("push", "src");
  assertEquals([stopped.code, stopped.stdout], [1, ""]);
  assertStringIncludes(stopped.stderr, "Nothing is done: 4.5 MB are needed there, and there is room for 4.2 MB");
  assertEquals(describeTree(disk.path), {});
  const skipped = await yard.app("push", "src", "--if-impossible", "skip");
  assertEquals([skipped.code, Object.keys(describeTree(disk.path))], [1, ["a", "b"]]);
  // Most of it is there now: what is left to do does not fit either, until it does.
  assertEquals((await yard.app("push", "src")).code, 1);
  write(`${yard.path}/src/c`, 500_000);
  assertEquals((await yard.app("push", "src")).code, 0);
});

Deno.test("a pull that does not fit changes nothing here", async () => {
  const fault = smallDiskFault();
  if (fault) return console.log(`skipped: ${fault}`);
  using disk = new SmallDisk({ sizeBytes: 2 * 1_048_576 });
  await using yard = await openYard({});
  for (const name of ["a", "b"]) write(`${yard.served}/${name}`, 1_500_000);
  const stopped = await yard.app("pull", `${disk.path}/got`);
  assertEquals([stopped.code, stopped.stdout], [1, ""]);
  assertStringIncludes(stopped.stderr, "Nothing is done: 3.0 MB are needed there");
  assertEquals(describeTree(disk.path), {});
  assertEquals((await yard.app("pull", `${disk.path}/got`, "--exclude", "b")).code, 0);
});

const fault = caseIgnoringDiskFault();
const ignore = fault !== undefined;
if (ignore) console.log(`skipped: ${fault}`);

Deno.test("names that are one name there stop a run, on a file system that ignores case", { ignore }, async () => {
  using disk = new CaseIgnoringDisk();
  await using yard = await openYard({ "src/a": "1", "src/d/README": "upper", "src/d/readme": "lower" }, {
    served: disk.path,
    args: [...ALL, "--keep-free", "0"],
  });
  const stopped = await yard.app("push", "src");
  assertEquals([stopped.code, stopped.stdout], [1, ""]);
  assertStringIncludes(stopped.stderr, 'Cannot send "d/readme": it would be the same file there as "d/README"');
  assertEquals([...Deno.readDirSync(disk.path)], []);
  const skipped = await yard.app("push", "src", "--if-impossible", "skip");
  assertEquals(skipped.code, 1);
  assertEquals(Deno.readTextFileSync(`${disk.path}/d/readme`), "upper");
  // Another spelling of a name that is there already is not taken for it, and nothing is lost.
  write(`${yard.path}/other/D`, "a file");
  assertStringIncludes((await yard.app("push", "other")).stderr, "another spelling of that name is there");
  assertEquals(Deno.readTextFileSync(`${disk.path}/d/readme`), "upper");
});

Deno.test("a read-only server says so once, before anything else", async () => {
  await using yard = await openYard({ "src/a": "1", "src/b": "2" }, { args: ["--read-only"] });
  const { code, stdout, stderr } = await yard.app("push", "src");
  assertEquals([code, stdout, stderr.split("read-only").length], [1, "", 2 + 1]);
});
