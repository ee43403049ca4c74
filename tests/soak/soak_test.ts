/**
 * A server process under a mixed load gives back what it took: memory, descriptors, partials, temporary folders.
 *
 * `deno task soak` goes on for ten minutes, the gate for `SECONDS`. What is done is drawn from `SEED`.
 */
import { assert, assertEquals } from "../support/assert.ts";
import { names } from "../support/names_in.ts";
import { connectionsTo, descriptorsOf, memoryOf } from "../support/process.ts";
import { ServerProcess, temporaryDirectory } from "../support/program.ts";
import { randomOf, SEED } from "../support/random.ts";
import { LARGE, LOAD, SMALL } from "./load.ts";

const SECONDS = Number(Deno.env.get("SOAK_SECONDS") ?? 15);
/** The part of the time after which the server has all that it needs: compiled code, a heap of its size, its table. */
const WARM_SHARE = 1 / 3;
const LANES = 6;
const PATIENCE_MS = 30_000;
/**
 * What memory may grow by behind the warm-up. The heap is collected when V8 sees fit, and the buffers of connections go
 * back to the system later still: it moves by some 40 MiB, and in ten minutes by no more. One buffer of 256 KiB kept for
 * each large transfer passes this after 384 of them, less than a minute of this load.
 */
const GROWTH_BYTES_MAX = 96 * 1_048_576;

Deno.test({
  name: `a server gives back what it took, after ${SECONDS} s of mixed load`,
  ignore: Deno.build.os !== "linux",
  async fn() {
    using folder = temporaryDirectory();
    const [shared, tmp] = [`${folder.path}/shared`, `${folder.path}/tmp`];
    for (const path of [shared, tmp]) Deno.mkdirSync(path);
    Deno.writeFileSync(`${shared}/small`, SMALL);
    Deno.writeFileSync(`${shared}/large`, LARGE);
    const args = ["--log", "json", "--allow-remove"];
    await using server = await ServerProcess.start(shared, args, { env: { TMPDIR: tmp, XDG_STATE_HOME: tmp } });
    const port = Number(server.port);
    const sockets = socketsAmong(descriptorsOf(server.pid));
    const atRest = (held: readonly string[]) =>
      connectionsTo(port) === 0 && socketsAmong(held) === sockets && !held.some((path) => path.startsWith(folder.path));

    const warm = await loadFor(port, SECONDS * WARM_SHARE, 0);
    const before = { descriptors: await untilHeld(server.pid, atRest), memory: memoryOf(server.pid, "VmRSS")! };
    const done = await loadFor(port, SECONDS * (1 - WARM_SHARE), warm);
    const after = { descriptors: await untilHeld(server.pid, atRest), memory: memoryOf(server.pid, "VmRSS")! };

    const told = `SEED=${SEED}, ${done} pieces of work, memory ${before.memory} -> ${after.memory}`;
    if (SECONDS > 60) console.log(told);
    assert(done > warm, told);
    assertEquals(after.descriptors, before.descriptors, told);
    assert(after.memory - before.memory < GROWTH_BYTES_MAX, told);
    assertEquals(names(shared), ["large", "small"], told);
    assertEquals(names(tmp), [], `temporary files while it runs: ${told}`);
    const { code, log } = await server.stop();
    assertEquals(code, 0, told);
    assertEquals(names(tmp), [], `temporary files after it: ${told}`);
    const defects = log.trimEnd().split("\n").filter((line) => JSON.parse(line).result === "internal");
    assertEquals(defects.slice(0, 3), [], told);
  },
});

/** Works in several lanes for so long; the number of the next piece of work. */
async function loadFor(port: number, seconds: number, first: number): Promise<number> {
  const end = performance.now() + seconds * 1000;
  let next = first;
  await Promise.all(Array.from({ length: LANES }, async () => {
    using here = temporaryDirectory();
    while (performance.now() < end) {
      const number = next++;
      const random = randomOf("soak", number);
      const target = { host: "127.0.0.1", port };
      try {
        await random.pick(LOAD)({ target, here: here.path, own: `own-${number}`, random });
      } catch (cause) {
        throw new Error(`SEED=${SEED}, piece ${number}: ${cause instanceof Error ? cause.message : cause}`, { cause });
      }
    }
  }));
  return next;
}

/** Waits until what `pid` holds is as `isEnough` wants it: what was begun is brought to its end behind its connection. */
async function untilHeld(pid: number, isEnough: (held: readonly string[]) => boolean): Promise<string[]> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const held = descriptorsOf(pid);
    if (isEnough(held)) return held;
    assert(performance.now() < deadline, `it still holds ${held.join(", ")}`);
    await Deno.lstat("/proc/self"); // gives the others their turn
  }
}

function socketsAmong(held: readonly string[]): number {
  return held.filter((path) => path.startsWith("socket:")).length;
}
