/**
 * Links that are swapped in and out while a tree works: whatever the moment, nothing outside is read, listed, made,
 * changed or removed. Another process swaps, so every moment comes, between any two calls of the system.
 */
import { LocalTree } from "../../protocol/files/local_tree.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { type Random, withSeed } from "../support/random.ts";
import { makeRequest, refill } from "./any_request.ts";
import { memoryIfThere } from "../support/neighbourhood.ts";
import { assertNothingArrived, Canary } from "../support/canary.ts";

const REQUESTS = Deno.env.get("FAULTS") === "full" ? 20_000 : 2_000;
/** A test that takes longer stops and says how far it came. */
const PATIENCE_MS = 300_000;

interface Swap {
  readonly what: string;
  /** What is swapped, where it lies meanwhile, and what stands there instead; all in the stage. */
  readonly path: string;
  readonly aside: string;
  readonly kind: "link" | "pipe" | "file";
  readonly target: string;
}

const SWAPS: readonly Swap[] = [
  {
    what: "a file, for a link out",
    path: "top/share/file",
    aside: "top/share/aside",
    kind: "link",
    target: "../outside/file",
  },
  {
    what: "a directory, for a link out",
    path: "top/share/dir",
    aside: "top/share/aside",
    kind: "link",
    target: "../outside",
  },
  {
    what: "a directory further down",
    path: "top/share/dir/sub",
    aside: "top/share/aside",
    kind: "link",
    target: "../../outside/sub",
  },
  { what: "a directory further up", path: "top/share/dir", aside: "top/share/aside", kind: "link", target: "/" },
  { what: "the root", path: "top/share", aside: "top/aside", kind: "link", target: "outside" },
  { what: "the root, for its neighbour", path: "top/share", aside: "top/aside", kind: "link", target: "share2" },
  { what: "the parent of the root", path: "top", aside: "aside", kind: "link", target: "other" },
  {
    what: "a link that is followed",
    path: "top/share/link",
    aside: "top/share/aside",
    kind: "link",
    target: "../outside",
  },
  { what: "a file, for a pipe", path: "top/share/file", aside: "top/share/aside", kind: "pipe", target: "pipe" },
  { what: "a directory, for a pipe", path: "top/share/dir", aside: "top/share/aside", kind: "pipe", target: "pipe" },
];

class Stage implements Disposable {
  readonly path = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "app-test-", ...memoryIfThere() }));
  readonly share = `${this.path}/top/share`;
  readonly canaries: readonly Canary[];

  constructor() {
    this.fill();
    Deno.symlinkSync("dir", `${this.share}/link`);
    new Deno.Command("mkfifo", { args: [`${this.path}/pipe`] }).outputSync();
    const there = ["", "/dir", "/dir/sub", "/sub"];
    this.canaries = ["top/outside", "top/share2", "other/share"].map((path) =>
      new Canary(`${this.path}/${path}`, there)
    );
  }

  fill(): void {
    for (const directory of ["", "/dir", "/dir/sub", "/other"]) {
      Deno.mkdirSync(this.share + directory, { recursive: true });
      for (const name of ["file", "taken"]) Deno.writeTextFileSync(`${this.share}${directory}/${name}`, "inside");
    }
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

class Swapper implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #reader: ReadableStreamDefaultReader<string>;

  constructor(stage: string, { path, aside, kind, target }: Swap) {
    const script = new URL("swapper.ts", import.meta.url).pathname;
    const words = [`${stage}/${path}`, `${stage}/${aside}`, kind, kind === "link" ? target : `${stage}/${target}`];
    const args = ["run", "-A", "--no-check", script, ...words];
    this.#child = new Deno.Command(Deno.execPath(), { args, stdin: "piped", stdout: "piped" }).spawn();
    this.#reader = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Waits for the first swap. */
  async started(): Promise<void> {
    assertEquals((await this.#reader.read()).value, "swapping\n");
  }

  /** Lets it put everything back; how often it swapped. */
  async stop(): Promise<number> {
    await this.#child.stdin.close();
    const { value } = await this.#reader.read();
    await this.#child.status;
    return Number(value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL"); // it has ended, if all went well
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
    await this.#child.stdin.close().catch(() => {}); // it is closed, if all went well
    await this.#child.status;
    await this.#reader.cancel();
  }
}

for (const swap of SWAPS) {
  Deno.test({
    name: `nothing leaves the root while something else swaps ${swap.what}`,
    ignore: Deno.build.os === "windows",
    fn: () => withSeed((random) => play(swap, random)),
  });
}

async function play(swap: Swap, random: Random): Promise<void> {
  using stage = new Stage();
  const tree = new LocalTree(stage.share);
  await using swapper = new Swapper(stage.path, swap);
  await swapper.started();
  const ends: Record<string, number> = {};
  const start = performance.now();
  for (let count = 1; count <= REQUESTS; count++) {
    const end = await makeRequest(tree, random);
    ends[end] = (ends[end] ?? 0) + 1;
    if (count % 20 === 0) await refill(tree);
    assert(performance.now() - start < PATIENCE_MS, `only ${count} requests in ${PATIENCE_MS} ms`);
  }
  const swaps = await swapper.stop();
  if (REQUESTS > 2_000) console.log(`${swap.what}: ${swaps} swaps, ${JSON.stringify(ends)}`);
  stage.canaries.forEach((canary) => canary.assertUntouched());
  assertNothingArrived(stage.share);
  assertEquals(Array.from(Deno.readDirSync(stage.path), ({ name }) => name).sort(), ["other", "pipe", "top"]);
  assert(ends["done"]! > REQUESTS / 20 && swaps > REQUESTS / 20, `${swaps} swaps, ${JSON.stringify(ends)}`);
}
