/**
 * Every operation that writes, stopped at every call to the system: what is visible is the old or the new, whole, and
 * running it again completes it.
 */
import { AppError } from "../../protocol/errors.ts";
import { LocalTree } from "../../protocol/files/local_tree.ts";
import { PARTIAL_AGE_MAX_MS, PARTIAL_SILENCE_MAX_MS } from "../../protocol/limits.ts";
import { assert, assertEquals, fail } from "../support/assert.ts";
import { fingerprint, TemporaryTree } from "../files/temporary_tree.ts";
import { type Content, LARGE_FACTS, type Operation, OPERATIONS } from "./operations.ts";
import { type StopKind, StoppingFileSystem } from "./stopping_file_system.ts";

/** A scratch file, which no later attempt can find: only a sweep removes it after a kill. */
const SCRATCH = /\.app-partial-[0-9a-f]{16}-[0-9a-f]{16}$/;

const CALLS_MIN = 5;
const CALLS_MAX = 100;

function shown(content: Content): Record<string, string> {
  return Object.fromEntries(Object.entries(content).map(([name, bytes]) => [name, fingerprint(bytes)]));
}

function isOneOf(visible: Record<string, string>, states: readonly (Content | undefined)[]): boolean {
  const sorted = (state: Record<string, string>) => JSON.stringify(Object.entries(state).sort());
  return states.some((state) => state && sorted(shown(state)) === sorted(visible));
}

async function prepare(operation: Operation): Promise<TemporaryTree> {
  const temporary = new TemporaryTree();
  for (const [name, bytes] of Object.entries(operation.before)) temporary.file(name, bytes);
  await operation.prepare?.(temporary.tree);
  return temporary;
}

/** Runs it to its end or to an error; what it threw. */
async function attempt(operation: Operation, tree: LocalTree): Promise<Error | undefined> {
  try {
    await operation.run(tree);
  } catch (error) {
    assert(error instanceof Error);
    return error;
  }
}

type Look = (temporary: TemporaryTree, stopping: StoppingFileSystem, error: Error | undefined) => Promise<void>;

/** Runs it stopped at every call in turn, and each time does `look`. All points that fail are told together. */
async function stopEverywhere(operation: Operation, kind: StopKind, look: Look): Promise<void> {
  const faults: string[] = [];
  let calls = 0;
  for (let stopAt = 1; calls === 0; stopAt++) {
    using temporary = await prepare(operation);
    using stopping = new StoppingFileSystem(stopAt, kind);
    try {
      const tree = new LocalTree(temporary.path, stopping.fs);
      stopping.begin();
      const error = await attempt(operation, tree);
      if (stopping.hasStopped) await look(temporary, stopping, error);
      else assertEquals([error, temporary.visible()], [undefined, shown(operation.after)]);
    } catch (error) {
      faults.push(
        `at call ${stopAt} of ${stopping.calls.slice(0, stopAt).join()}: ${String(error).replaceAll(/\n\s*/g, " ")}`,
      );
    }
    if (!stopping.hasStopped) calls = stopping.calls.length;
    assert(stopAt <= CALLS_MAX, "It never comes to its end");
  }
  assert(calls >= CALLS_MIN, "It makes fewer calls than it can do with");
  if (faults.length > 0) fail(`It failed at ${faults.length} of ${calls} points:\n${faults.join("\n")}`);
}

/** Runs it once more. */
function runAgain(operation: Operation, temporary: TemporaryTree, kind: StopKind): Promise<Error | undefined> {
  return asNewProcess(kind, () => attempt(operation, new LocalTree(temporary.path)));
}

/** Runs `body`; after a kill as another process would, in which nobody writes anything. */
async function asNewProcess<T>(kind: StopKind, body: () => Promise<T>): Promise<T> {
  const now = performance.now;
  if (kind === "kill") performance.now = () => now.call(performance) + 2 * PARTIAL_SILENCE_MAX_MS;
  try {
    return await body();
  } finally {
    performance.now = now;
  }
}

/** Sweeps, when everything of ours is as old as a sweep wants it. */
async function sweepLater(temporary: TemporaryTree): Promise<void> {
  const now = Date.now;
  Date.now = () => now() + 2 * PARTIAL_AGE_MAX_MS;
  try {
    await temporary.tree.sweep();
  } finally {
    Date.now = now;
  }
  assertEquals(temporary.reserved(), []);
}

for (const operation of OPERATIONS) {
  const { name, before, between, after, afterTwice = after, doneCode } = operation;
  for (const kind of ["fault", "kill"] as const) {
    Deno.test(`${name} that is stopped by a ${kind} shows the old or the new, and running it again completes it`, async () => {
      await stopEverywhere(operation, kind, async (temporary, _, error) => {
        const visible = temporary.visible();
        assert(isOneOf(visible, [before, between, after]), `neither old nor new: ${JSON.stringify(visible)}`);
        const wasDone = isOneOf(visible, [after]) && !isOneOf(visible, [before]);
        if (!error) assert(isOneOf(visible, [after]), "it said that it was done");

        const again = await runAgain(operation, temporary, kind);
        if (again) assert(wasDone && again instanceof AppError && again.code === doneCode, `again: ${again}`);
        assertEquals(temporary.visible(), shown(wasDone ? afterTwice : after));
        const left = temporary.reserved().filter((path) => kind === "fault" || !SCRATCH.test(path));
        if (!again) assertEquals(left, [], "running it again leaves nothing behind");
        await sweepLater(temporary);
        assertEquals(temporary.visible(), shown(wasDone ? afterTwice : after));
      });
    });
  }

  Deno.test(`${name} that is stopped by a fault leaves no file open`, async () => {
    await stopEverywhere(operation, "fault", (_, stopping) => {
      assertEquals(stopping.openCount, 0);
      return Promise.resolve();
    });
  });
}

Deno.test("whatever fails comes out as an error of ours", async () => {
  const raw: string[] = [];
  for (const operation of OPERATIONS) {
    await stopEverywhere(operation, "fault", (_, { calls, stopAt }, error) => {
      if (error && !(error instanceof AppError)) raw.push(`${operation.name}: ${calls.slice(0, stopAt).join()}`);
      return Promise.resolve();
    });
  }
  assertEquals(raw, []);
});

for (
  const [name, path, heldBefore] of [
    ["a put of a file of three blocks", "large", 0],
    ["a resume of a file of three blocks", "dir/large", 2],
  ] as const
) {
  const operation = OPERATIONS.find((candidate) => candidate.name === name)!;
  for (const kind of ["fault", "kill"] as const) {
    Deno.test(`${name} that is stopped by a ${kind} loses no whole block that was written`, async () => {
      await stopEverywhere(operation, kind, async (temporary, stopping) => {
        if (isOneOf(temporary.visible(), [operation.after])) return;
        const writes = stopping.calls.slice(0, stopping.stopAt - 1).filter((call) => call === "writeSync").length;
        stopping[Symbol.dispose]();
        await asNewProcess(kind, async () => {
          const draft = await temporary.tree.create(path, LARGE_FACTS, "error");
          assertEquals(draft.heldBlocks, Math.min(2, heldBefore + writes));
          assertEquals(draft.restarted, false);
          await draft.discard();
        });
      });
    });
  }
}
