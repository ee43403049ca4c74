/** What is found before a tree is moved: by the sender alone, while the receiver changes nothing; and what is left out. */
import { AppError } from "../../protocol/errors.ts";
import { GROUP_BYTES_MAX } from "../../protocol/exchange/tree_group.ts";
import { TreeNeed } from "../../protocol/exchange/tree_need.ts";
import type { Preflight } from "../../protocol/exchange/tree_preflight.ts";
import type { SendTreeOptions } from "../../protocol/exchange/tree_sender.ts";
import type { TreeStep } from "../../protocol/exchange/tree_report.ts";
import { TreeScan } from "../../protocol/exchange/tree_scan.ts";
import type { FileTree, FolderEntry } from "../../protocol/files/tree.ts";
import { BODY_BYTES_MAX } from "../../protocol/limits.ts";
import { ANY_NAMES, type NameRules } from "../../protocol/name_rules.ts";
import type { TemporaryTree } from "../files/temporary_tree.ts";
import { assert, assertEquals, assertInstanceOf } from "../support/assert.ts";
import { describeTree } from "../support/random_tree.ts";
import { runTree, type TreeEnds, type TreeJob, twoTrees } from "./trees.ts";

/** `tree`, in a place with other rules. */
function placed(tree: TemporaryTree, rules: Partial<NameRules>, room = {}): TemporaryTree {
  const other: FileTree = Object.assign(Object.create(tree.tree), {
    folder: (name: string) => tree.tree.folder(name),
    stat: (name: string) => tree.tree.stat(name),
    makeDirectory: (name: string) => tree.tree.makeDirectory(name),
    create: (...what: Parameters<FileTree["create"]>) => tree.tree.create(...what),
    nameRules: () => ({ ...ANY_NAMES, ...rules }),
    room: () => room,
  });
  return Object.create(tree, { tree: { value: other } });
}

interface PreflightJob extends TreeJob {
  readonly ifImpossible?: Preflight["ifImpossible"];
  /** Which side decides. @default "sender" */
  readonly decides?: "sender" | "receiver";
  readonly verifySum?: Preflight["verifySum"];
}

function runPreflight(
  { ifImpossible = "stop", decides = "sender", verifySum, ...job }: PreflightJob,
): Promise<TreeEnds> {
  const deciding = { ifImpossible, verifySum };
  const isSender = decides === "sender";
  const sending: SendTreeOptions = {
    preflight: isSender ? deciding : { ifImpossible },
    isDecidedHere: isSender,
    ...job.sending,
  };
  const receiving = { preflight: isSender ? { ifImpossible } : deciding, ...job.receiving };
  return runTree({ ...job, sending, receiving });
}

const IGNORING = { ignoresCase: true };

/** Everything that a receiver does about a tree: each kind of action once. */
function everyAction(from: TemporaryTree, to: TemporaryTree): void {
  ["changed", "new", "kind", "d/in"].forEach((name) => from.file(name, "sent"));
  from.file("large", new Uint8Array(3 * BODY_BYTES_MAX));
  Deno.symlinkSync("new", from.at("link"));
  from.file("adjusted", "same");
  Deno.chmodSync(from.at("adjusted"), 0o600);
  to.file("adjusted", "same");
  Deno.utimeSync(to.at("adjusted"), 1, 1);
  Deno.utimeSync(from.at("adjusted"), 1, 1);
  to.file("changed", "before");
  to.file("kind/was a directory");
  to.file("extra");
  Deno.utimeSync(from.path, 5, 5);
}

/** What is in it, and its own time. */
function describeAll({ path }: TemporaryTree): unknown {
  return [describeTree(path), Deno.statSync(path).mtime];
}

for (const decides of ["sender", "receiver"] as const) {
  Deno.test(`nothing at all is done when one name is impossible, and everything when none is: the ${decides} decides`, async () => {
    for (const isImpossible of [true, false]) {
      using trees = twoTrees();
      const { from, to } = trees;
      from.file("z/readme", "1");
      if (isImpossible) from.file("z/README", "2");
      everyAction(from, to);
      const before = describeAll(to);
      const receiving = { removeMax: 9 };
      const end = await runPreflight({ from, to: placed(to, IGNORING), decides, receiving });
      if (isImpossible) {
        for (const side of [end.sent, end.received]) {
          assertInstanceOf(side, AppError);
          assertEquals(side.code, "bad_name");
        }
        const failures = decides === "sender" ? end.sendFailures : end.receiveFailures;
        assertEquals(failures, ["z/readme: bad_name"]);
        assertEquals(describeAll(to), before);
      } else {
        assertEquals([end.sendFailures, end.receiveFailures], [[], []]);
        assertEquals(describeAll(to), describeAll(from));
      }
      assertEquals(to.reserved(), []);
    }
  });

  Deno.test(`skip leaves out what is impossible, names and counts it, and never removes what has its name: the ${decides} asked`, async () => {
    using trees = twoTrees();
    const { from, to } = trees;
    ["a?", "b", "README", "readme"].forEach((name) => from.file(name, "sent"));
    to.file("a?", "there before");
    to.file("extra");
    const rules = { ...IGNORING, isWindows: true };
    const end = await runPreflight({
      from,
      to: placed(to, rules),
      decides,
      ifImpossible: "skip",
      receiving: { removeMax: 9, onLeftOut: (name) => assert(false, `${name} was told twice`) },
    });
    assertEquals(end.sendFailures, ["a?: bad_name", "readme: bad_name"]);
    assertEquals(end.receiveFailures, end.sendFailures);
    assert(!(end.received instanceof AppError));
    assertEquals([end.received.files, end.received.failed], [2, 2]);
    assertEquals(Object.keys(to.visible()), ["README", "a?", "b"]);
    assertEquals(to.read("a?"), "there before");
  });
}

Deno.test("a tree whose top is not there is made behind the go-ahead, and not before", async () => {
  for (const isRefused of [true, false]) {
    using trees = twoTrees();
    const { from, to } = trees;
    from.file("a");
    const verifySum = () => {
      assertEquals(describeTree(to.path), {});
      if (isRefused) throw new AppError("no_space", "It does not fit");
    };
    const { sent } = await runPreflight({ from, to, into: "deep/top", verifySum });
    assertEquals(sent instanceof AppError && sent.code, isRefused && "no_space");
    assertEquals(Object.keys(to.visible()), isRefused ? [] : ["deep/top/a"]);
  }
});

Deno.test("into a top that is not there no file is put off as one that may be there under another name", async () => {
  using trees = twoTrees();
  const { from, to } = trees;
  for (let index = 0; index < 20; index++) from.file(`d${index % 3}/${index}`, "x");
  let [planned, early] = [0, 0];
  const receiving = {
    removeMax: 9,
    onPlanned: () => void planned++,
    onProgress: ({ isCounted }: TreeStep) => void (isCounted && (early = planned)),
  };
  const { received } = await runPreflight({ from, to, into: "new/top", ifImpossible: "skip", receiving });
  assert(!(received instanceof AppError), `${received}`);
  assertEquals([received.files, early], [20, 23]);
});

/** So little may be told and kept that a second walk is needed. */
const NARROW = { heldBytesMax: 100, queueMax: 5 };

/** Lets the receiver stop at a directory, which has another time, until it may change that; so little more is told. */
function standStill(to: TemporaryTree, name: string): void {
  Deno.mkdirSync(to.at(name));
  Deno.utimeSync(to.at(name), 1, 1);
}

Deno.test("what does not fit into the window and the queue is looked at by a second walk, to its end", async () => {
  for (const isImpossible of [false, true]) {
    using trees = twoTrees();
    const { from, to } = trees;
    for (let index = 0; index < 60; index++) from.file(`d${index % 7}/${index}`, "x");
    if (isImpossible) from.file("d6/last?");
    standStill(to, "d0");
    const before = describeTree(to.path);
    let sum: unknown;
    const end = await runPreflight({
      from,
      to: placed(to, { isWindows: true }),
      verifySum: (told) => sum = told,
      sending: { ...NARROW, hasDigests: true },
    });
    if (isImpossible) assertEquals([end.sendFailures, describeTree(to.path)], [["d6/last?: bad_name"], before]);
    else {
      assertEquals(sum, { entries: 67, sizeBytes: 60, largestBytes: 1 });
      assertEquals(describeTree(to.path), describeTree(from.path));
    }
  }
});

Deno.test("files that are wanted early are not sent before everything was looked at", async () => {
  using trees = twoTrees();
  const { from, to } = trees;
  for (let index = 0; index < 400; index++) {
    from.file(`d${index % 40}/${index}`, "changed");
    to.file(`d${index % 40}/${index}`, "x");
  }
  const ends: string[] = [];
  const verifySum = () => void ends.push("looked at");
  const onProgress = ({ files }: TreeStep) => void (files && ends.length < 2 && ends.push("stored"));
  const receiving = { isExact: false, onProgress };
  const { received } = await runPreflight({ from, to, verifySum, sending: NARROW, receiving });
  assert(!(received instanceof AppError), `${received}`);
  assertEquals([received.files, ends], [400, ["looked at", "stored"]]);
});

Deno.test("new directories and what is in them are considered before everything was looked at, and made after it", async () => {
  for (const into of ["", "new/top"]) {
    using trees = twoTrees();
    const { from, to } = trees;
    for (let index = 0; index < 60; index++) from.file(`d${index % 7}/e/${index}`, "x");
    Deno.symlinkSync("e", from.at("d3/link"));
    let [planned, early] = [0, 0];
    const verifySum = () => {
      early = planned;
      assertEquals(describeTree(to.path), {});
    };
    const receiving = { onPlanned: () => void planned++ };
    const { received } = await runPreflight({ from, to, into, decides: "receiver", verifySum, receiving });
    assert(!(received instanceof AppError), `${received}`);
    assertEquals([received.files, received.failed, planned, early], [60, 0, 75, 75]);
    assertEquals(describeTree(to.at(into)), describeTree(from.path));
  }
});

Deno.test("a directory that could not be made fails with all that is in it, and the others are stored", async () => {
  using trees = twoTrees();
  const { from, to } = trees;
  for (let index = 0; index < 20; index++) from.file(`d${index % 4}/e/${index}`, "x");
  from.file("d2/large", new Uint8Array(2 * BODY_BYTES_MAX));
  const verifySum = () => to.file("d2", "somebody put it there in that moment");
  const end = await runPreflight({ from, to, decides: "receiver", verifySum });
  assert(!(end.received instanceof AppError), `${end.received}`);
  const inside = [2, 6, 10, 14, 18].map((index) => `d2/e/${index}: not_found`);
  const expected = ["d2: exists", "d2/e: not_found", "d2/large: not_found", ...inside].sort();
  assertEquals([end.sendFailures.sort(), end.receiveFailures.sort()], [expected, expected]);
  assertEquals([end.received.files, end.received.failed], [15, 8]);
  assertEquals([to.read("d2"), to.read("d3/e/3"), to.reserved()], ["somebody put it there in that moment", "x", []]);
});

const CAREFUL = { ifDifferent: "error", isExact: false } as const;

/** What somebody else puts where `top` is, or is to be made, in the last moment. */
function putMeanwhile(to: TemporaryTree, top: string): void {
  ["d/same", "file", "d/extra", "d/e/extra"].forEach((name) => to.file(`${top}/${name}`, "somebody else's"));
}

for (const into of ["", "new/top"]) {
  const what = into === "" ? "directories" : "a top";
  const top = into === "" ? "" : `${into}/`;

  Deno.test(`${what} that somebody else makes during the pass: what is in it is replaced by who may, and nothing else lost`, async () => {
    using trees = twoTrees();
    const { from, to } = trees;
    ["d/same", "d/e/f", "file"].forEach((name) => from.file(name, "sent"));
    const verifySum = () => putMeanwhile(to, into === "" ? "." : into);
    const end = await runPreflight({ from, to, into, decides: "receiver", verifySum, receiving: { removeMax: 9 } });
    assert(!(end.received instanceof AppError), `${end.received}`);
    assertEquals([end.received.files, end.received.failed, end.receiveFailures], [3, 0, []]);
    for (const name of ["d/same", "d/e/f", "file"]) assertEquals(to.read(top + name), "sent");
    for (const name of ["d/extra", "d/e/extra"]) assertEquals(to.read(top + name), "somebody else's");
    assertEquals(to.reserved(), []);
  });

  Deno.test(`${what} that somebody else makes during the pass: what is in it stays before who may not replace it`, async () => {
    using trees = twoTrees();
    const { from, to } = trees;
    ["d/same", "d/e/f", "file"].forEach((name) => from.file(name, "sent"));
    const verifySum = () => putMeanwhile(to, into === "" ? "." : into);
    const end = await runPreflight({ from, to, into, decides: "receiver", verifySum, receiving: CAREFUL });
    assert(!(end.received instanceof AppError), `${end.received}`);
    assertEquals([end.received.files, end.received.failed], [1, 2]);
    assertEquals(end.receiveFailures.sort(), ["d/same: exists", "file: exists"]);
    for (const name of ["d/same", "file"]) assertEquals(to.read(top + name), "somebody else's");
    assertEquals([to.read(`${top}d/e/f`), to.reserved()], ["sent", []]);
  });
}

Deno.test("a directory that somebody else makes before it is told of is compared, and its extras go", async () => {
  // What waits for the end of the pass, so that what is told behind it is considered only then.
  for (const waiting of ["b", "a/refused"]) {
    using trees = twoTrees();
    const { from, to } = trees;
    ["a/f", "a/refused", "b", "z/same", "z/other"].forEach((name) => from.file(name, "sent"));
    ["b", "z/same"].forEach((name) => Deno.utimeSync(from.at(name), 1, 1));
    if (waiting === "b") {
      to.file("b", "sent");
      Deno.utimeSync(to.at("b"), 1, 1);
      Deno.chmodSync(to.at("b"), 0o600);
    }
    const verifySum = () => {
      to.file("z/extra", "of somebody else");
      to.file("z/same", "sent");
      Deno.utimeSync(to.at("z/same"), 1, 1);
    };
    const isRefused = (name: string) => waiting === name && name !== "b";
    const refuses = (_: string, name: string) => isRefused(name) ? new AppError("denied", "Not that one") : undefined;
    const receiving = { removeMax: 9, refuses };
    const { received } = await runPreflight({ from, to, decides: "receiver", verifySum, receiving });
    assert(!(received instanceof AppError), `${received}`);
    const { files, unchanged, removed, failed } = received;
    assertEquals([files, unchanged, removed, failed], waiting === "b" ? [3, 2, 1, 0] : [3, 1, 1, 1]);
    assertEquals(Object.keys(describeTree(to.at("z"))).sort(), ["other", "same"]);
  }
});

Deno.test("a link that somebody else makes during the pass is as good as ours, and another one stays", async () => {
  for (const target of ["file", "other"]) {
    using trees = twoTrees();
    const { from, to } = trees;
    from.file("file", "sent");
    Deno.symlinkSync("file", from.at("link"));
    const verifySum = () => Deno.symlinkSync(target, to.at("link"));
    const { received, receiveFailures } = await runPreflight({ from, to, decides: "receiver", verifySum });
    assert(!(received instanceof AppError), `${received}`);
    assertEquals(receiveFailures, target === "file" ? [] : ["link: exists"]);
    assertEquals([Deno.readLinkSync(to.at("link")), to.read("file")], [target, "sent"]);
  }
});

Deno.test("a dry run plans no file before everything was looked at: nothing would bound how many", async () => {
  for (const isDryRun of [true, false]) {
    using trees = twoTrees();
    for (let index = 0; index < 40; index++) trees.from.file(`${index}`, "new");
    let planned = 0;
    let early = 0;
    const verifySum = () => void (early = planned);
    const receiving = { isDryRun, onPlanned: () => void planned++ };
    const { received } = await runPreflight({ ...trees, verifySum, sending: { ...NARROW, isDryRun }, receiving });
    assert(!(received instanceof AppError), `${received}`);
    assertEquals([received.files, planned, early > 0], [40, 40, !isDryRun]);
  }
});

Deno.test("what becomes impossible behind the pass is left out, named and counted, and never removed", async () => {
  using trees = twoTrees();
  const { from, to } = trees;
  for (let index = 0; index < 60; index++) from.file(`d${index % 7}/${index}`, "x");
  to.file("d6/late?", "there before");
  standStill(to, "d0");
  const end = await runPreflight({
    from,
    to: placed(to, { isWindows: true }),
    verifySum: () => from.file("d6/late?", "late"),
    sending: NARROW,
    receiving: { removeMax: 9 },
  });
  assertEquals([end.sendFailures, end.receiveFailures], [["d6/late?: bad_name"], ["d6/late?: bad_name"]]);
  assert(!(end.received instanceof AppError));
  assertEquals([end.received.files, end.received.failed, to.read("d6/late?")], [60, 1, "there before"]);
});

Deno.test("of 200,000 entries no more wait than the queue holds", async () => {
  const [directories, each] = [2_000, 100];
  let opened = 0;
  const entry = (name: string, kind: FolderEntry["kind"]) => ({ name, kind, sizeBytes: 1, mtimeMs: 1, mode: 0o644 });
  const names = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, index) => prefix + `${index}`.padStart(5, "0"));
  const top = { entries: names("d", directories).map((name) => entry(name, "directory")), unusable: [] };
  const below = { entries: names("f", each).map((name) => entry(name, "file")), unusable: [] };
  const folder = (name: string): unknown => {
    opened++;
    return {
      folder,
      async *scan() {
        yield name === "" ? top : below;
      },
    };
  };
  const tree = { folder } as unknown as FileTree;
  const scan = new TreeScan(tree, "", { names: ANY_NAMES, isPass: true, onImpossible: () => {} });
  while (!scan.isSeen) await scan.lookAhead();
  const openedByBoth = opened;
  assert(openedByBoth <= 1 + directories + 1, `${openedByBoth - 1 - directories} directories were looked at twice`);
  assertEquals(scan.sum, { entries: directories * (each + 1), sizeBytes: directories * each, largestBytes: 1 });
  let told = 0;
  for (let batch = await scan.next(); batch; batch = await scan.next()) told += batch.found.length;
  assertEquals([told, scan.isOver], [directories * (each + 1), true]);
  const waited = 1 + directories - (opened - openedByBoth);
  assert(waited <= 1 + (60_000 - directories) / each + 1, `${waited} directories waited`);
});

Deno.test("what is in a directory in which the first walk stops is looked at again, and counted once", async () => {
  for (const queueMax of [1, 5, 300, 700]) {
    using trees = twoTrees();
    for (let index = 0; index < 600; index++) {
      trees.from.file(index % 3 ? `${index}${index % 50 ? "" : "?"}` : `d/${index}`, "x");
    }
    const refused = Array.from(Deno.readDirSync(trees.from.path)).filter(({ name }) => name.endsWith("?")).length;
    const options = { isPass: true, queueMax, names: { ...ANY_NAMES, isWindows: true }, onImpossible: () => {} };
    const scan = new TreeScan(trees.from.tree, "", options);
    while (!scan.isSeen) await scan.lookAhead();
    assertEquals(scan.sum, { entries: 601, sizeBytes: 600 - refused, largestBytes: 1 });
    assertEquals(scan.findings.count, refused);
    let told = 0;
    for (let batch = await scan.next(); batch; batch = await scan.next()) told += batch.found.length;
    assertEquals(told, 601);
  }
});

Deno.test("what the receiver leaves out is not impossible, nor what it would be the same as", async () => {
  using trees = twoTrees();
  const { from, to } = trees;
  ["no/a?", "b", "KEEP", "keep"].forEach((name) => from.file(name));
  const excludes = (name: string) => name === "no" || name === "KEEP";
  const rules = { ...IGNORING, isWindows: true };
  const end = await runPreflight({ from, to: placed(to, rules), decides: "receiver", receiving: { excludes } });
  assertEquals([end.receiveFailures, end.received instanceof AppError], [[], false]);
});

Deno.test("more than a hundred are counted, and the first hundred named", async () => {
  for (const decides of ["sender", "receiver"] as const) {
    using trees = twoTrees();
    const { from, to } = trees;
    for (let index = 0; index < 1_150; index++) from.file(`${index}?`, "");
    const end = await runPreflight({ from, to: placed(to, { isWindows: true }), decides });
    const failures = decides === "sender" ? end.sendFailures : end.receiveFailures;
    const side = decides === "sender" ? end.sent : end.received;
    assertInstanceOf(side, AppError);
    assertEquals(failures.length, 100);
    assertEquals(side.message, "Nothing is done: these 100, and 1,050 more, cannot be stored there");
  }
});

Deno.test("names that nobody may send stop a run, and are left out by skip", async () => {
  for (const ifImpossible of ["stop", "skip"] as const) {
    using trees = twoTrees();
    const { from, to } = trees;
    ["nul", "ok"].forEach((name) => from.file(name));
    const end = await runPreflight({ from, to, ifImpossible });
    assertEquals(end.sendFailures, ["nul: bad_name"]);
    assertEquals(Object.keys(to.visible()), ifImpossible === "stop" ? [] : ["ok"]);
    if (!(end.received instanceof AppError)) assertEquals(end.received.failed, 1);
  }
});

Deno.test("what is refused whatever it is ends the run before anything is done", async () => {
  using trees = twoTrees();
  const { from, to } = trees;
  ["a", "b"].forEach((name) => from.file(name));
  for (const code of ["read_only", "not_allowed"] as const) {
    const refuses = (action: string) => action === "create" ? new AppError(code, "No") : undefined;
    const { received } = await runPreflight({ from, to, receiving: { refuses } });
    if (code === "not_allowed") assert(!(received instanceof AppError) && received.failed === 2);
    else assert(received instanceof AppError && received.code === code);
  }
});

Deno.test("a dry run is told what the run needs, with what is replaced while it is still there", async () => {
  using trees = twoTrees();
  const { from, to } = trees;
  from.file("a", new Uint8Array(2_000_000));
  from.file("b", new Uint8Array(1_500_000));
  from.file("d/new", "12345");
  from.file("same", "12345");
  to.file("a", new Uint8Array(1_900_000));
  to.file("b", new Uint8Array(1_400_000));
  to.file("same", "12345");
  for (const tree of [from, to]) Deno.utimeSync(tree.at("same"), 5, 5);
  const needs: unknown[] = [];
  const dry = { isDryRun: true };
  await runPreflight({ ...trees, sending: dry, receiving: { ...dry, onNeed: (need) => needs.push(need) } });
  // "a" is written whole, then the old one goes; the same for "b"; then "d" and what is in it.
  assertEquals(needs, [{ bytes: 2_000_000, files: 2 }]);
});

Deno.test("what is kept of what is replaced is there until the end, as far as there is room for it", () => {
  const need = new TreeNeed();
  need.keepableBytes = 2 * GROUP_BYTES_MAX + 10;
  for (let count = 1; count <= 4; count++) {
    need.addFile(GROUP_BYTES_MAX, GROUP_BYTES_MAX);
    const there = Math.min(count, 3); // the third is gone when the fourth comes
    assertEquals(need.most, { bytes: there * GROUP_BYTES_MAX, files: there });
  }
  need.addFile(5, 10);
  assertEquals(need.most, { bytes: 3 * GROUP_BYTES_MAX, files: 3 });
});

Deno.test("what is replaced is there until its group is written", () => {
  const need = new TreeNeed();
  for (let count = 0; count < 3; count++) need.addFile(1_000, 1_000);
  assertEquals(need.most, { bytes: 3_000, files: 3 });
  need.addFile(GROUP_BYTES_MAX, undefined);
  need.addFile(2_500, 10);
  assertEquals(need.most, { bytes: GROUP_BYTES_MAX + 3_000, files: 4 });
  need.addName();
  need.addFile(3_500, undefined);
  assertEquals(need.most, { bytes: GROUP_BYTES_MAX + 6_000, files: 4 });
});
