/** What is missed by nobody who looks at a whole tree whenever he is told: with real trees, made-up events, and a clock. */
import { TreeWatcher, type TreeWatcherOptions } from "../../protocol/exchange/tree_watcher.ts";
import { FakeSystem } from "../files/fake_watcher.ts";
import { assertEquals, assertRejectsCode } from "../support/assert.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { temporaryDirectory } from "../support/program.ts";

/** A tree with these directories, watched from `top` on. */
async function stage(directories: readonly string[], top = "", options: TreeWatcherOptions = {}) {
  const directory = temporaryDirectory();
  const { path } = directory;
  for (const name of directories) Deno.mkdirSync(`${path}/${name}`, { recursive: true });
  const [system, clock] = [new FakeSystem(), new FakeClock()];
  const watcher = await TreeWatcher.start(system.tree(path), top, { clock, ...options });
  let changes = 0;
  let losses = 0;
  let waiting: Promise<void> | undefined;
  const wait = async () => {
    const { hasLost } = await watcher.next();
    changes++;
    if (hasLost) losses++;
    waiting = undefined;
  };
  return {
    path,
    system,
    clock,
    watcher,
    /** What is watched now, sorted, without the path of the tree. */
    covered: () => system.last.paths.map((one) => one.slice(path.length + 1)).sort(),
    tell: (kind: Deno.FsEvent["kind"], ...names: string[]) =>
      system.last.tell(kind, ...names.map((name) => `${path}/${name}`)),
    /** How many changes there are when so much time has passed, and how many of them with losses. */
    async changes(ms = 200) {
      waiting ??= wait();
      await settle();
      clock.pass(ms);
      await settle();
      return [changes, losses];
    },
    [Symbol.dispose]() {
      watcher[Symbol.dispose]();
      directory[Symbol.dispose]();
    },
  };
}

/** Lets everything run that waits for nothing but promises and looks at the disk. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 100; turn++) await Deno.lstat("/");
}

Deno.test("all directories are watched, and none that is left out or led to by a link", async () => {
  const excludes = (name: string, isDirectory: boolean) => isDirectory && name === "d/out";
  using here = await stage(["d/e/f", "d/out/deep", "g"], "", { excludes });
  Deno.symlinkSync("/", `${here.path}/link`);
  assertEquals(here.covered(), ["", "d", "d/e", "d/e/f", "g"]);
});

Deno.test("below a directory nothing of the others is watched, nor heard", async () => {
  using here = await stage(["d/e", "other"], "d");
  assertEquals(here.covered(), ["d", "d/e"]);
  here.tell("modify", "other/a", "a");
  assertEquals(await here.changes(), [0, 0]);
  here.tell("modify", "d/e/a");
  assertEquals(await here.changes(), [1, 0]);
});

Deno.test("directories that are made and filled before they are watched are found", async () => {
  using here = await stage([]);
  Deno.mkdirSync(`${here.path}/a/b/c`, { recursive: true });
  here.tell("create", "a"); // of the others nobody hears
  assertEquals(await here.changes(), [1, 0]);
  assertEquals(here.covered(), ["", "a", "a/b", "a/b/c"]);
});

Deno.test("a directory that is made while the others are looked for is found, too", async () => {
  using here = await stage(["a"]);
  let made = 0;
  here.system.onOpen = () => {
    if (made++ < 3) Deno.mkdirSync(`${here.path}/new${made}`);
  };
  here.tell("create", "a");
  await here.changes();
  assertEquals(here.covered(), ["", "a", "new1", "new2", "new3"]);
});

Deno.test("a directory that was exchanged is watched anew", async () => {
  using here = await stage(["a"]);
  const watchers = here.system.watchers.length;
  Deno.removeSync(`${here.path}/a`);
  Deno.mkdirSync(`${here.path}/a`);
  here.tell("remove", "a");
  here.tell("create", "a");
  await here.changes();
  assertEquals([here.covered(), here.system.watchers.length], [["", "a"], watchers + 1]);
});

Deno.test("files that change open no new watcher", async () => {
  using here = await stage(["a"]);
  Deno.writeTextFileSync(`${here.path}/a/x`, "");
  const watchers = here.system.watchers.length;
  for (let change = 1; change <= 5; change++) {
    here.tell("create", "a/x");
    assertEquals(await here.changes(), [change, 0]);
  }
  assertEquals(here.system.watchers.length, watchers);
});

Deno.test("lost events are told as such, and all directories looked for", async () => {
  using here = await stage([]);
  Deno.mkdirSync(`${here.path}/a`);
  here.system.last.lose();
  assertEquals(await here.changes(), [1, 1]);
  assertEquals(here.covered(), ["", "a"]);
  here.system.last.fail();
  assertEquals(await here.changes(), [2, 2]);
  here.tell("modify", "a/x");
  assertEquals(await here.changes(), [3, 2]);
});

Deno.test("names that are left out as a file and as a directory wake nobody; one that may be either does", async () => {
  const excludes = (name: string, isDirectory: boolean) => name === "both" || (name === "dir" && isDirectory);
  using here = await stage([], "", { excludes });
  here.tell("modify", "both");
  assertEquals(await here.changes(), [0, 0]);
  here.tell("modify", "dir");
  assertEquals(await here.changes(), [1, 0]);
});

Deno.test("without any event there is a change every 5 minutes, which finds what was not heard of", async () => {
  using here = await stage([]);
  Deno.mkdirSync(`${here.path}/a`);
  assertEquals(await here.changes(299_999), [0, 0]);
  here.clock.pass(1);
  await settle();
  assertEquals([here.covered(), here.clock.timers], [["", "a"], 1]);
});

Deno.test("a thousand changes leave one watcher, one timer, and nothing else", async () => {
  using here = await stage([]);
  for (let change = 1; change <= 1_000; change++) {
    const next = here.watcher.next();
    here.tell("create", `x${change}`);
    await here.system.last.read();
    here.clock.pass(200);
    await next;
  }
  assertEquals([here.system.openOnes, here.system.watchers.length, here.clock.timers], [1, 1, 1]);
});

Deno.test("a top that is gone ends it, at the start and later", async () => {
  using here = await stage(["a"], "a");
  Deno.removeSync(`${here.path}/a`);
  here.tell("remove", "a");
  const next = here.watcher.next();
  await settle();
  here.clock.pass(200);
  await assertRejectsCode(() => next, "not_found");
  await assertRejectsCode(() => stage([], "a"), "not_found");
});

Deno.test("a system that refuses, and a tree without events, cannot be watched", async () => {
  using directory = temporaryDirectory();
  const system = new FakeSystem();
  system.refusing = new Error("OS file watch limit reached.");
  await assertRejectsCode(() => TreeWatcher.start(system.tree(directory.path), ""), "cannot_watch");
  const tree = Object.assign(system.tree(directory.path), { watch: undefined });
  await assertRejectsCode(() => TreeWatcher.start(tree, ""), "cannot_watch");
});
