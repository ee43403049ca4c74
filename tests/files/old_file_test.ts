/** The file that a draft replaces: opened to be compared where that is worth it, and left as it is until it is replaced. */
import { BLOCK_BYTES } from "../../protocol/limits.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { Random } from "../support/random.ts";
import { fingerprint, TemporaryTree } from "./temporary_tree.ts";

const OLD = new Random(1).bytes(4 * BLOCK_BYTES);
const NEW = new Random(2).bytes(4 * BLOCK_BYTES + 1);
const FACTS = { sizeBytes: NEW.length, mtimeMs: 1_600_000_000_000, comparesOld: true };

Deno.test("a draft that replaces a large file can read it, and the file stays until the draft is published", async () => {
  using temporary = new TemporaryTree();
  temporary.file("dir/file", OLD);
  const draft = await temporary.tree.create("dir/file", FACTS, "replace");
  const block = new Uint8Array(BLOCK_BYTES);
  assertEquals(await draft.old!.readAt(BLOCK_BYTES, block), BLOCK_BYTES);
  assertEquals([draft.old!.entry.sizeBytes, block], [OLD.length, OLD.slice(BLOCK_BYTES, 2 * BLOCK_BYTES)]);
  await draft.startAt(0);
  await draft.write(NEW);
  assertEquals(temporary.visible(), { "dir/file": fingerprint(OLD) });
  const { ino } = Deno.statSync(temporary.at("dir/file"));
  await draft.publish();
  assertEquals(temporary.visible(), { "dir/file": fingerprint(NEW) });
  assert(Deno.statSync(temporary.at("dir/file")).ino !== ino, "it was written to the old file");
  assertEquals(draft.old, undefined);
});

Deno.test("a draft has no old file where none is asked for, nothing is replaced, or it is not worth it", async () => {
  using temporary = new TemporaryTree();
  temporary.file("large", OLD);
  temporary.file("small", OLD.subarray(1));
  Deno.symlinkSync("large", temporary.at("link"));
  const of = async (...[name, facts, ifTaken]: Parameters<TemporaryTree["tree"]["create"]>) => {
    const draft = await temporary.tree.create(name, facts, ifTaken);
    const { old } = draft;
    await draft.discard();
    return old?.entry.name;
  };
  assertEquals(await of("large", FACTS, "replace"), "large");
  assertEquals(await of("large", { ...FACTS, comparesOld: false }, "replace"), undefined);
  assertEquals(await of("large", { comparesOld: true }, "replace"), undefined, "a stream");
  assertEquals(await of("large", FACTS, "rename"), undefined);
  assertEquals(await of("small", FACTS, "replace"), undefined);
  assertEquals(await of("link", FACTS, "replace"), undefined, "what a link leads to is not replaced");
  assertEquals(await of("none", FACTS, "replace"), undefined);
  const { tree } = temporary;
  const names = ["large", "small", "link", "none", "no/parent"];
  assertEquals(names.map((name) => tree.hasComparable(name)), [true, false, false, false, false]);
});

Deno.test("a draft whose old file cannot be opened goes on without it", async () => {
  const denied = (): never => {
    throw Object.assign(new Error("EACCES: permission denied"), { code: "EACCES" });
  };
  using temporary = new TemporaryTree({ openToRead: denied });
  temporary.file("file", OLD);
  const draft = await temporary.tree.create("file", FACTS, "replace");
  assertEquals(draft.old, undefined);
  await draft.startAt(0);
  await draft.write(NEW);
  await draft.publish();
  assertEquals(temporary.visible(), { file: fingerprint(NEW) });
});

Deno.test("the old file is closed however its draft ends", async () => {
  if (Deno.build.os !== "linux") return console.log("skipped: only Linux tells which files a process has open");
  using temporary = new TemporaryTree();
  temporary.file("file", OLD);
  const isOpen = () =>
    [...Deno.readDirSync("/proc/self/fd")].some(({ name }) => linkOf(`/proc/self/fd/${name}`) === temporary.at("file"));
  for (const end of ["suspend", "discard", "publish"] as const) {
    const draft = await temporary.tree.create("file", FACTS, "replace");
    assert(isOpen(), "it is not open");
    await draft.startAt(0);
    await draft[end]();
    assert(!isOpen(), `it is open behind ${end}`);
  }
});

/** Where a link points that may go away meanwhile. */
function linkOf(path: string): string | undefined {
  try {
    return Deno.readLinkSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
