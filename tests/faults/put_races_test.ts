/**
 * Several puts under the same name at once. One is held in its middle, so the moment in which the other comes is exact;
 * every answer that somebody got must be true at the end.
 */
import type { Client, ErrorName } from "../../client/mod.ts";
import { BLOCK_BYTES, PARTIAL_SILENCE_MAX_MS } from "../../protocol/limits.ts";
import { fingerprint } from "../files/temporary_tree.ts";
import { assertEquals, assertRejectsCode } from "../support/assert.ts";
import { names, visible } from "../support/names_in.ts";
import { temporaryDirectory } from "../support/program.ts";
import { Random } from "../support/random.ts";
import { HeldTransfer, LARGE_BYTES, type RunOptions } from "./held.ts";

const FIRST = new Random(51).bytes(LARGE_BYTES);
/** Smaller and not of whole blocks. */
const SECOND = new Random(52).bytes(3 * BLOCK_BYTES + 5);
/** Less than a block: what has no partial. */
const SMALL = [new Random(53).bytes(200_000), new Random(54).bytes(100_000)] as const;

const TIME = new Date(1_600_000_000_000);

/** Two files to put under one name. */
function sources(first: Uint8Array, second: Uint8Array) {
  const here = temporaryDirectory();
  const paths = [`${here.path}/first`, `${here.path}/second`] as const;
  [first, second].forEach((content, index) => {
    Deno.writeFileSync(paths[index]!, content);
    Deno.utimeSync(paths[index]!, TIME, TIME);
  });
  return { paths, [Symbol.dispose]: () => here[Symbol.dispose]() };
}

/** What lies in the shared directory and is visible: name -> what tells its content apart. */
function stored({ served }: HeldTransfer): Record<string, string> {
  const entries = visible(served.root).map((name) => [name, fingerprint(Deno.readFileSync(`${served.root}/${name}`))]);
  return Object.fromEntries(entries);
}

/** `contents` by name, in the same form. */
function shown(contents: Readonly<Record<string, Uint8Array>>): Record<string, string> {
  return Object.fromEntries(Object.entries(contents).map(([name, bytes]) => [name, fingerprint(bytes)]));
}

/** The name under which it was stored, or the code of the refusal. */
async function answerOf(transfer: HeldTransfer, client: Client, options: RunOptions): Promise<string> {
  try {
    return (await transfer.run(client, options)).name;
  } catch (error) {
    return (error as { code: ErrorName }).code;
  }
}

/** Runs `body` with a clock that `advance` sets forward, by so much that who was at work before counts as silent. */
async function withAdvancingClock<T>(body: (advance: () => void) => Promise<T>): Promise<T> {
  const now = performance.now;
  let aheadMs = 0;
  performance.now = () => now.call(performance) + aheadMs;
  try {
    return await body(() => void (aheadMs += PARTIAL_SILENCE_MAX_MS + 500));
  } finally {
    performance.now = now;
  }
}

for (
  const [ifExists, answers, result] of [
    ["error", ["exists", "file"], { file: SMALL[1] }],
    ["rename", ["file (2)", "file"], { file: SMALL[1], "file (2)": SMALL[0] }],
    ["replace", ["file", "file"], { file: SMALL[0] }],
  ] as const
) {
  Deno.test(`of two puts of one new name at once, --if-exists ${ifExists}, the first to finish has the name, and both hear the truth`, async () => {
    await using transfer = new HeldTransfer("put", { offset: 50_000 });
    using files = sources(...SMALL);
    const first = answerOf(transfer, transfer.client("proxy"), { path: files.paths[0], ifExists });
    await transfer.proxy.harmed;
    const second = await answerOf(transfer, transfer.client("server"), { path: files.paths[1], ifExists });
    assertEquals(stored(transfer), shown({ file: SMALL[1] }));
    transfer.proxy.release();
    assertEquals([await first, second], [...answers]);
    assertEquals(stored(transfer), shown(result));
    assertEquals(names(transfer.to), Object.keys(result).sort());
  });
}

for (
  const [what, second, whileHeld, ifExists, afterwards, result] of [
    ["another file", SECOND, "busy", "error", "exists", { file: FIRST }],
    ["another file", SECOND, "busy", "replace", "file", { file: SECOND }],
    ["another file", SECOND, "file", "rename", "file (3)", { file: SECOND, "file (2)": FIRST, "file (3)": SECOND }],
    ["the same file", FIRST, "busy", "error", "exists", { file: FIRST }],
    ["the same file", FIRST, "busy", "replace", "file", { file: FIRST }],
    ["the same file", FIRST, "busy", "rename", "file (2)", { file: FIRST, "file (2)": FIRST }],
  ] as const
) {
  Deno.test(`a put of ${what} under a name that a large file is being put under, --if-exists ${ifExists}: ${whileHeld} meanwhile, ${afterwards} afterwards`, async () => {
    await using transfer = new HeldTransfer("put");
    using files = sources(FIRST, second);
    const first = answerOf(transfer, transfer.client("proxy"), { path: files.paths[0], ifExists });
    await transfer.proxy.harmed;
    const client = transfer.client("server");
    assertEquals(await answerOf(transfer, client, { path: files.paths[1], ifExists }), whileHeld);
    transfer.proxy.release();
    assertEquals(await first, whileHeld === "busy" ? "file" : "file (2)");
    assertEquals(await answerOf(transfer, client, { path: files.paths[1], ifExists }), afterwards);
    assertEquals(stored(transfer), shown(result));
    assertEquals(names(transfer.to), Object.keys(result).sort());
  });
}

Deno.test("a put that found the name busy goes on by itself as soon as the other one is done", async () => {
  await using transfer = new HeldTransfer("put");
  using files = sources(FIRST, SECOND);
  const first = transfer.run(transfer.client("proxy"), { path: files.paths[0], ifExists: "replace" });
  await transfer.proxy.harmed;
  const retried = new Set<ErrorName>();
  const onRetry = ({ code }: { code: ErrorName }) => {
    retried.add(code);
    transfer.proxy.release();
  };
  const client = transfer.client("server", { retries: 1_000, retryWaitMs: 5, retryWaitMaxMs: 5, onRetry });
  await transfer.run(client, { path: files.paths[1], ifExists: "replace" });
  await first;
  assertEquals([...retried], ["busy"]);
  assertEquals(stored(transfer), shown({ file: SECOND }));
  assertEquals(names(transfer.to), ["file"]);
});

Deno.test("a put whose connection broke off is gone on with by whoever puts the same file next, from elsewhere too", async () => {
  await using transfer = new HeldTransfer("put", { kind: "cut", offset: 12 * BLOCK_BYTES });
  using files = sources(FIRST, FIRST);
  await assertRejectsCode(() => transfer.run(transfer.client("proxy"), { path: files.paths[0] }), "lost");
  const client = transfer.client("server", { retries: 1_000, retryWaitMs: 5, retryWaitMaxMs: 5 });
  const { resumedBytes } = await transfer.run(client, { path: files.paths[1] });
  assertEquals([resumedBytes >= BLOCK_BYTES, resumedBytes % BLOCK_BYTES], [true, 0], String(resumedBytes));
  assertEquals(stored(transfer), shown({ file: FIRST }));
  assertEquals(names(transfer.to), ["file"]);
});

Deno.test("a put whose connection broke off is thrown away by who puts another file of the name next", async () => {
  await using transfer = new HeldTransfer("put", { kind: "cut", offset: 12 * BLOCK_BYTES });
  using files = sources(FIRST, SECOND);
  await assertRejectsCode(() => transfer.run(transfer.client("proxy"), { path: files.paths[0] }), "lost");
  let restarts = 0;
  const client = transfer.client("server", { retries: 1_000, retryWaitMs: 5, retryWaitMaxMs: 5 });
  const { resumedBytes } = await transfer.run(client, { path: files.paths[1], onRestart: () => restarts++ });
  assertEquals([resumedBytes, restarts], [0, 1]);
  assertEquals(stored(transfer), shown({ file: SECOND }));
  assertEquals(names(transfer.to), ["file"]);
});

for (const [ifExists, answer] of [["error", "exists"], ["replace", "file"], ["rename", "file (2)"]] as const) {
  Deno.test(`a put that fell silent loses its place to the same put again, and then hears ${answer} with --if-exists ${ifExists}`, async () => {
    await using transfer = new HeldTransfer("put", { offset: 8 * BLOCK_BYTES });
    using files = sources(FIRST, FIRST);
    const retried: ErrorName[] = [];
    const onRetry = ({ code }: { code: ErrorName }) => retried.push(code);
    const silent = transfer.client("proxy", { retries: 1, onRetry });
    const first = answerOf(transfer, silent, { path: files.paths[0], ifExists });
    await transfer.proxy.harmed;
    await withAdvancingClock(async (advance) => {
      // What went past the proxy before it held may still be stored under the new time: then it is busy once more.
      const second = transfer.client("server", { retries: 1_000, retryWaitMs: 5, retryWaitMaxMs: 5, onRetry: advance });
      const { name, resumedBytes } = await transfer.run(second, { path: files.paths[1], ifExists });
      assertEquals([name, resumedBytes >= BLOCK_BYTES], ["file", true]);
    });
    transfer.proxy.release();
    assertEquals([await first, retried], [answer, ["busy"]]);
    assertEquals(stored(transfer), shown(answer === "file (2)" ? { file: FIRST, [answer]: FIRST } : { file: FIRST }));
    assertEquals(names(transfer.to), visible(transfer.to));
  });
}

Deno.test("a directory that a put is under way to is not empty, and is removed once nothing of the put is left", async () => {
  await using transfer = new HeldTransfer("put");
  using files = sources(FIRST, SECOND);
  const first = transfer.run(transfer.client("proxy"), { name: "dir/file", path: files.paths[0] });
  await transfer.proxy.harmed;
  const other = transfer.client("server");
  await assertRejectsCode(() => other.remove("dir"), "not_empty");
  transfer.proxy.release();
  await first;
  await other.remove("dir/file");
  await other.remove("dir");
  assertEquals(names(transfer.to), []);
});

Deno.test("a put into a directory that another client moves meanwhile comes to nothing, and can be run again", async () => {
  await using transfer = new HeldTransfer("put");
  using files = sources(FIRST, SECOND);
  const options = { name: "dir/file", path: files.paths[0] };
  const first = assertRejectsCode(() => transfer.run(transfer.client("proxy"), options), "not_found");
  await transfer.proxy.harmed;
  const other = transfer.client("server");
  await other.move("dir", "moved");
  transfer.proxy.release();
  await first;
  assertEquals([visible(`${transfer.to}/moved`), names(transfer.to)], [[], ["moved"]]);
  await transfer.run(other, options);
  assertEquals(fingerprint(Deno.readFileSync(`${transfer.to}/dir/file`)), fingerprint(FIRST));
});
