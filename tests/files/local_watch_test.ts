/** What a watch of local directories makes of events: of those of the system, and of events that a test makes up. */
import { FILE_SYSTEM } from "../../protocol/files/file_system.ts";
import { LocalTree } from "../../protocol/files/local_tree.ts";
import { LocalWatch } from "../../protocol/files/local_watch.ts";
import { assert, assertEquals, assertRejectsCode } from "../support/assert.ts";
import { temporaryDirectory } from "../support/program.ts";
import { soon } from "../server/served.ts";
import { FakeSystem } from "./fake_watcher.ts";

async function stage(...covered: string[]) {
  const directory = temporaryDirectory();
  for (const name of covered) Deno.mkdirSync(`${directory.path}/${name}`, { recursive: true });
  const system = new FakeSystem();
  const heard: string[] = [];
  const watch = new LocalWatch(FILE_SYSTEM, directory.path, (name) => heard.push(name), { open: system.open });
  if (covered.length > 0) await watch.cover(new Set(covered));
  return {
    root: directory.path,
    system,
    heard,
    watch,
    /** What was heard of an event. */
    async tell(kind: Deno.FsEvent["kind"], ...names: string[]) {
      heard.length = 0;
      system.last.tell(kind, ...names.map((name) => name === "" ? directory.path : `${directory.path}/${name}`));
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
      return [...heard];
    },
    [Symbol.dispose]() {
      watch[Symbol.dispose]();
      directory[Symbol.dispose]();
    },
  };
}

Deno.test("a watch hears of what is in its directories, the top first and no links among them", async () => {
  using here = await stage("", "d", "d/e");
  Deno.symlinkSync("/", `${here.root}/link`);
  await here.watch.cover(new Set(["", "d", "link", "gone"]));
  assertEquals(here.system.last.paths, [here.root, `${here.root}/d`]);
  assertEquals(await here.tell("modify", "d/a"), ["d/a"]);
  assertEquals(await here.tell("modify", "d/e/a"), []); // of a directory that is not watched
  assertEquals(await here.tell("rename", "a", "d/b"), ["a", "d/b"]);
  assertEquals(here.watch.isDoubtful, false);
});

for (
  const [what, name, twin] of [
    ["a partial", "d/.app-partial-1", "d/.apps"],
    ["a name that breaks the rule", "d/a:\u0001", "d/a"],
    ["another tree", "../elsewhere", "elsewhere"],
    ["a directory that is not covered", "e/x", "d/x"],
  ] as const
) {
  Deno.test(`a watch hears nothing of ${what}`, async () => {
    using here = await stage("", "d");
    Deno.mkdirSync(`${here.root}/e`);
    assertEquals(await here.tell("create", name), []);
    assertEquals(await here.tell("create", twin), [twin]);
  });
}

Deno.test("a partial that gets its name is heard of under that name", async () => {
  using here = await stage("");
  assertEquals(await here.tell("rename", ".app-partial-1", "a"), ["a"]);
});

Deno.test("a watch doubts when directories come, go or are exchanged, and not when files do", async () => {
  using here = await stage("", "d");
  Deno.mkdirSync(`${here.root}/new`);
  Deno.writeTextFileSync(`${here.root}/file`, "");
  for (
    const [kind, name, isDoubtful] of [
      ["create", "file", false],
      ["remove", "file2", false],
      ["modify", "d", false],
      ["modify", "new", false],
      ["create", "new", true],
      ["remove", "d", true],
      ["rename", "d", true],
      ["remove", "", true],
    ] as const
  ) {
    await here.watch.cover(new Set(["", "d"]));
    assertEquals(await here.tell(kind, name), [name]);
    assertEquals([here.watch.isDoubtful, here.watch.takeLost()], [isDoubtful, false], `${kind} ${name}`);
  }
});

Deno.test("lost events, a crowd of them, and a watcher that breaks are doubts", async () => {
  using here = await stage("");
  here.system.last.lose();
  assertEquals(await here.tell("modify", "a"), ["", "a"]);
  assertEquals([here.watch.isDoubtful, here.watch.takeLost(), here.watch.takeLost()], [true, true, false]);
  await here.watch.cover(new Set([""]));
  for (let event = 1; event <= 16; event++) {
    assertEquals(here.watch.isDoubtful, false, `before event ${event}`);
    await here.tell("modify", "a");
  }
  assertEquals([here.watch.isDoubtful, here.watch.takeLost()], [true, false]);
  await here.watch.cover(new Set([""]));
  here.system.last.fail();
  assertEquals(await here.tell("modify", "a"), [""]);
  assertEquals([here.watch.isDoubtful, here.watch.takeLost()], [true, true]);
});

Deno.test("a watch has one watcher at a time, of which only the last one is heard", async () => {
  using here = await stage("");
  for (let round = 0; round < 1_000; round++) await here.watch.cover(new Set([""]));
  const [first] = here.system.watchers;
  first!.tell("modify", `${here.root}/a`);
  assertEquals([await here.tell("modify", "b"), here.system.openOnes], [["b"], 1]);
  here.watch[Symbol.dispose]();
  assertEquals(here.system.openOnes, 0);
});

Deno.test("directories that go away in that moment are passed over, and a system that refuses is told", async () => {
  using here = await stage("", "d");
  here.system.onOpen = () => {
    if (here.system.refusing) Deno.removeSync(`${here.root}/d`);
    here.system.refusing = undefined;
  };
  here.system.refusing = new Deno.errors.NotFound();
  await here.watch.cover(new Set(["", "d"]));
  assertEquals(here.system.last.paths, [here.root]);
  here.system.onOpen = () => {};
  here.system.refusing = new Error('OS file watch limit reached. about ["/home/x"]');
  const { message } = await assertRejectsCode(() => here.watch.cover(new Set([""])), "cannot_watch");
  assertEquals(message, "Cannot watch for changes: the system allows too few watched directories");
  here.system.refusing = new Error("Too many open files (os error 24)");
  await assertRejectsCode(() => here.watch.cover(new Set([""])), "cannot_watch");
});

Deno.test("the system tells of files made, changed, moved and removed, and of what is moved in and out", async () => {
  using inside = temporaryDirectory();
  using outside = temporaryDirectory();
  const waiting = new Map<string, () => void>();
  using watch = await new LocalTree(inside.path).watch((name) => waiting.get(name)?.());
  Deno.mkdirSync(`${inside.path}/d`);
  await watch.cover(new Set(["", "d"]));
  const at = (name: string) => `${inside.path}/${name}`;
  /** Does it, and waits until it is heard of under that name. */
  const hears = (name: string, change: () => void) => {
    const heard = new Promise<void>((resolve) => waiting.set(name, resolve));
    change();
    return soon(heard, `${name}: ${change}`);
  };
  await hears("d/a", () => Deno.writeTextFileSync(at("d/a"), "1"));
  await hears("d/a", () => Deno.writeTextFileSync(at("d/a"), "2"));
  await hears("d/a", () => Deno.chmodSync(at("d/a"), 0o600));
  await hears("d/a", () => Deno.utimeSync(at("d/a"), 1, 1));
  await hears("b", () => Deno.renameSync(at("d/a"), at("b")));
  await hears("b", () => Deno.renameSync(at("b"), `${outside.path}/b`));
  await hears("d/c", () => Deno.renameSync(`${outside.path}/b`, at("d/c")));
  await hears("link", () => Deno.symlinkSync("d", at("link")));
  await hears("d/c", () => Deno.removeSync(at("d/c")));
  await hears("new", () => Deno.mkdirSync(at("new")));
  assert(watch.isDoubtful);
});

Deno.test("a directory that was exchanged is heard of again by all who watch it, and by nobody else", async () => {
  using directory = temporaryDirectory();
  const at = (name: string) => `${directory.path}/${name}`;
  Deno.mkdirSync(at("d/x/y"), { recursive: true });
  Deno.mkdirSync(at("e"));
  const heard = { first: [] as string[], second: [] as string[], other: [] as string[] };
  const tree = new LocalTree(directory.path);
  using first = await tree.watch((name) => heard.first.push(name));
  using second = await tree.watch((name) => heard.second.push(name));
  using other = await tree.watch((name) => heard.other.push(name));
  const all = new Set(["d", "d/x", "d/x/y"]);
  for (const watch of [first, second]) await watch.cover(all);
  await other.cover(new Set(["e"]));
  /** Waits until all of them hear of what is behind `name`. */
  const untilHeard = async (names: readonly string[], name: string) => {
    for (const until = performance.now() + 10_000; !names.includes(name);) {
      assert(performance.now() < until, `nothing of ${name}: ${names}`);
      await Deno.lstat("/");
    }
  };
  for (let round = 0; round < 3; round++) {
    Deno.removeSync(at("d/x"), { recursive: true });
    Deno.mkdirSync(at("d/x/y"), { recursive: true });
    for (const names of [heard.first, heard.second]) await untilHeard(names, "d/x");
    for (const watch of [first, second]) if (watch.isDoubtful) await watch.cover(all);
    for (const watch of [first, second]) if (watch.isDoubtful) await watch.cover(all);
    heard.first.length = heard.second.length = 0;
    Deno.writeTextFileSync(at("d/x/y/again"), "");
    for (const names of [heard.first, heard.second]) await untilHeard(names, "d/x/y/again");
    heard.first.length = heard.second.length = 0;
  }
  assertEquals(heard.other, []);
});

Deno.test("a top that was exchanged with what is above it is a doubt", async () => {
  using here = await stage("above/top");
  assertEquals(here.watch.isDoubtful, false);
  Deno.renameSync(`${here.root}/above`, `${here.root}/away`);
  Deno.mkdirSync(`${here.root}/above/top`, { recursive: true });
  assertEquals(here.watch.isDoubtful, true);
});
