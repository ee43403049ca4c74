/** One writer for each partial: in this process, across processes, and after one has fallen silent. */
import { BLOCK_BYTES, PARTIAL_SILENCE_MAX_MS } from "../../protocol/limits.ts";
import { assert, assertEquals, assertRejectsCode, assertThrowsCode } from "../support/assert.ts";
import { fingerprint, TemporaryTree } from "./temporary_tree.ts";

const FACTS = { sizeBytes: 2 * BLOCK_BYTES, mtimeMs: 1_600_000_000_000 };
const BLOCK = new Uint8Array(BLOCK_BYTES).fill(1);

/** Runs `body` with a clock that shows `ms` more than it is. */
async function later(ms: number, body: () => Promise<void>): Promise<void> {
  const now = performance.now;
  performance.now = () => now.call(performance) + ms;
  try {
    await body();
  } finally {
    performance.now = now;
  }
}

/**
 * A tree, and the waits for its locks. A writer that is refused leaves such a wait behind, which ends when the lock is
 * given up: a test has to see it end, or it ends in the next one.
 */
function treeWithWaits(): { temporary: TemporaryTree; waits: Promise<void>[] } {
  const waits: Promise<void>[] = [];
  const temporary = new TemporaryTree({
    openSync(path, options) {
      const file = Deno.openSync(path, options);
      const lock = file.lock.bind(file);
      file.lock = (exclusive) => {
        const wait = lock(exclusive);
        waits.push(wait);
        return wait;
      };
      return file;
    },
  });
  return { temporary, waits };
}

function isDirectory(path: string | URL): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false; // nothing is there yet
  }
}

async function begin({ tree }: TemporaryTree) {
  const draft = await tree.create("file", FACTS, "error");
  await draft.startAt(0);
  await draft.write(BLOCK);
  return draft;
}

Deno.test("a second writer of the same file is told that somebody else writes it", async () => {
  using temporary = new TemporaryTree();
  const first = await begin(temporary);
  await assertRejectsCode(() => temporary.tree.create("file", FACTS, "error"), "busy");
  await assertRejectsCode(() => temporary.tree.create("file", { ...FACTS, mtimeMs: 0 }, "replace"), "busy");
  await first.write(BLOCK);
  assertEquals(await first.publish(), "file");
  assertEquals(Deno.statSync(temporary.at("file")).size, 2 * BLOCK_BYTES);
});

Deno.test("a writer of another file is not disturbed", async () => {
  using temporary = new TemporaryTree();
  const first = await begin(temporary);
  const other = await temporary.tree.create("other", FACTS, "error");
  await other.discard();
  await first.discard();
});

Deno.test("of two that begin in the same moment, one gets the file", async () => {
  const { temporary, waits } = treeWithWaits();
  using _ = temporary;
  const attempts = await Promise.allSettled([1, 2].map(() => temporary.tree.create("file", FACTS, "error")));
  const drafts = attempts.flatMap((attempt) => attempt.status === "fulfilled" ? [attempt.value] : []);
  const errors = attempts.flatMap((attempt) => attempt.status === "rejected" ? [attempt.reason.code] : []);
  assertEquals(drafts.length, 1);
  assertEquals(errors, ["busy"]);
  await drafts[0]!.discard();
  await Promise.allSettled(waits);
  assertEquals(temporary.reserved(), []);
});

Deno.test("once the first writer has ended, the next one goes on", async () => {
  using temporary = new TemporaryTree();
  await (await begin(temporary)).suspend();
  const second = await temporary.tree.create("file", FACTS, "error");
  assertEquals(second.heldBlocks, 1);
  await second.discard();
});

Deno.test("a writer that has been silent for long loses its partial to the next one", async () => {
  using temporary = new TemporaryTree();
  const first = await begin(temporary);
  await later(PARTIAL_SILENCE_MAX_MS - 500, async () => {
    await assertRejectsCode(() => temporary.tree.create("file", FACTS, "error"), "busy");
  });
  await later(PARTIAL_SILENCE_MAX_MS + 500, async () => {
    const second = await temporary.tree.create("file", FACTS, "error");
    assertEquals(second.heldBlocks, 1);

    assertThrowsCode(() => first.write(BLOCK), "busy");
    await assertRejectsCode(() => first.publish(), "busy");
    await first.suspend();
    await first.discard();
    assertEquals(temporary.visible(), {});

    await second.startAt(BLOCK_BYTES);
    await second.write(BLOCK);
    await second.publish();
  });
  assertEquals(temporary.visible(), { file: fingerprint(new Uint8Array(2 * BLOCK_BYTES).fill(1)) });
  assertEquals(temporary.reserved(), []);
});

Deno.test("a writer that flushes does not lose its partial, however long the disk takes", async () => {
  using temporary = new TemporaryTree();
  const first = await begin(temporary);
  await first.write(BLOCK);
  const published = first.publish();
  await later(PARTIAL_SILENCE_MAX_MS + 500, async () => {
    await assertRejectsCode(() => temporary.tree.create("file", FACTS, "error"), "busy");
  });
  assertEquals(await published, "file");
  assertEquals(Object.keys(temporary.visible()), ["file"]);
  assertEquals(temporary.reserved(), []);
});

Deno.test("parents that a broken attempt made are flushed by it, since the one that goes on does not make them", async () => {
  const flushed: string[] = [];
  using temporary = new TemporaryTree({
    openSync(path, options) {
      if (isDirectory(path)) flushed.push(Deno.realPathSync(path));
      return Deno.openSync(path, options);
    },
  });
  const draft = await temporary.tree.create("a/b/file", FACTS, "error");
  await draft.suspend();
  assertEquals(flushed.map((path) => path.slice(temporary.path.length)), ["", "/a"]);
});

Deno.test("a writer that writes now and then does not lose its partial", async () => {
  using temporary = new TemporaryTree();
  const first = await begin(temporary);
  await later(PARTIAL_SILENCE_MAX_MS + 500, async () => {
    await first.write(BLOCK);
    await assertRejectsCode(() => temporary.tree.create("file", FACTS, "error"), "busy");
  });
  assertEquals(await first.publish(), "file");
});

/** A process that holds the lock of `path` until its stdin ends. */
async function lockElsewhere(path: string): Promise<Deno.ChildProcess> {
  const code = `const file = Deno.openSync(${JSON.stringify(path)}, { read: true, write: true });
    file.lockSync(true);
    console.log("locked");
    for await (const _ of Deno.stdin.readable);`;
  const child = new Deno.Command(Deno.execPath(), { args: ["eval", code], stdin: "piped", stdout: "piped" }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  reader.releaseLock();
  assertEquals(new TextDecoder().decode(value).trim(), "locked");
  return child;
}

Deno.test("a writer in another process counts, until it ends", async () => {
  const { temporary, waits } = treeWithWaits();
  using _ = temporary;
  await (await begin(temporary)).suspend();
  const partial = temporary.reserved().find((name) => !name.endsWith(".note"));
  assert(partial);
  const child = await lockElsewhere(temporary.at(partial));
  await assertRejectsCode(() => temporary.tree.create("file", FACTS, "error"), "busy");
  await child.stdin.close();
  await child.output();
  await Promise.allSettled(waits);

  const draft = await temporary.tree.create("file", FACTS, "error");
  assertEquals(draft.heldBlocks, 1);
  await draft.discard();
  assertEquals(temporary.reserved(), []);
});

Deno.test("a writer in another process that is killed gives the file up at once", async () => {
  using temporary = new TemporaryTree();
  await (await begin(temporary)).suspend();
  const child = await lockElsewhere(temporary.at(temporary.reserved().find((name) => !name.endsWith(".note"))!));
  child.kill("SIGKILL");
  await Promise.all([child.output(), child.stdin.close().catch(() => {})]); // its end of the pipe may be gone
  const draft = await temporary.tree.create("file", FACTS, "error");
  assertEquals(draft.heldBlocks, 1);
  await draft.discard();
});
