/**
 * What a round of faults is played on: a server process, the directory that it shares, one of the client, and a file of
 * 20 MB on one side that belongs on the other.
 *
 * Owns what must hold whatever was done: nothing visible but the whole file, and an undamaged run that completes it.
 */
import { BLOCK_BYTES } from "../../protocol/limits.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { names, visible } from "../support/names_in.ts";
import { ServerProcess, startApp, temporaryDirectory } from "../support/program.ts";
import { type Harm, HarmfulProxy } from "../support/proxy.ts";
import { Random } from "../support/random.ts";
import { KnownServer } from "./known_server.ts";
import { Transfer } from "./transfer.ts";

export type Way = "get" | "put";

const NAME = "big.bin";
const CONTENT = new Random(20).bytes(20_000_000);
const MTIME_MS = 1_700_000_000_123;

/** In plain, encrypted with a key that the client knows, or compressed; then the file is one that gets half as large. */
export type Wrapping = "plain" | "tls" | "compressed";

/** What the undamaged run behind a fault came to. */
export type Completion = "resumed" | "anew" | "was there";

export class Stage implements AsyncDisposable {
  readonly way: Way;
  readonly wrapping: Wrapping;
  /** Which way the data goes. */
  readonly dataDirection: Harm["direction"];
  readonly answerDirection: Harm["direction"];
  /** How many bytes an undamaged transfer has, each way. */
  travel!: Readonly<Record<Harm["direction"], number>>;
  server!: ServerProcess;
  readonly #content: Uint8Array;
  readonly #shared = temporaryDirectory();
  readonly #here = temporaryDirectory();
  /** Where they encrypt. */
  #known: KnownServer | undefined;

  private constructor(way: Way, wrapping: Wrapping) {
    this.way = way;
    this.wrapping = wrapping;
    this.#content = wrapping === "compressed" ? CONTENT.map((byte) => byte & 15) : CONTENT;
    this.dataDirection = way === "get" ? "to client" : "to server";
    this.answerDirection = way === "get" ? "to server" : "to client";
  }

  static async open(way: Way, wrapping: Wrapping = "plain"): Promise<Stage> {
    const stage = new Stage(way, wrapping);
    if (wrapping === "tls") stage.#known = await KnownServer.make();
    const source = `${way === "get" ? stage.#shared.path : stage.#here.path}/${NAME}`;
    Deno.writeFileSync(source, stage.#content);
    Deno.utimeSync(source, MTIME_MS / 1000, MTIME_MS / 1000);
    await stage.startServer();
    stage.travel = await stage.#measureTravel();
    return stage;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.stop("SIGKILL");
    for (const directory of [this.#shared, this.#here]) directory[Symbol.dispose]();
    this.#known?.[Symbol.dispose]();
  }

  async startServer(): Promise<void> {
    const more = this.#known?.serverWords ?? [];
    this.server = await ServerProcess.start(this.#shared.path, ["--log", "off", ...more]);
  }

  /** Starts the transfer, with `--json`. */
  start(port: string, args: readonly string[] = []): Transfer {
    const more = this.wrapping === "compressed" ? ["--compress", "on"] : [];
    const words = [this.way, "127.0.0.1", port, NAME, "--json", ...more, ...args];
    return new Transfer(startApp(words, { cwd: this.#here.path, env: this.#known?.envAt(port) ?? {} }));
  }

  /** Whether the file is visible where it belongs; fails if anything else is, or if it is another one. */
  hasFile(): boolean {
    const shown = visible(this.#target);
    if (shown.length === 0) return false;
    assertEquals(shown, [NAME]);
    const bytes = Deno.readFileSync(`${this.#target}/${NAME}`);
    assertEquals(bytes.length, this.#content.length, "the length of what is visible");
    assertEquals(firstDifference(bytes, this.#content), undefined, "where what is visible differs");
    return true;
  }

  /** How much of it is kept of an attempt that broke off. */
  partialBytes(): number {
    const partials = this.#names().filter((name) => name.startsWith(".app-") && !name.endsWith(".note"));
    return Math.max(0, ...partials.map((name) => Deno.statSync(`${this.#target}/${name}`).size));
  }

  /** Tells when the file becomes visible. Dispose it. */
  watchTarget(): { readonly shown: Promise<void> } & Disposable {
    const path = `${this.#target}/${NAME}`;
    const watcher = Deno.watchFs(this.#target);
    const events = watcher[Symbol.asyncIterator](); // leaving a loop over it would close it, and Deno 2.5 not twice
    const shown = (async () => {
      for (let event = await events.next(); !event.done; event = await events.next()) {
        // That an earlier one was removed can be told late.
        if (event.value.kind === "create" && event.value.paths.includes(path)) return;
      }
    })();
    return { shown, [Symbol.dispose]: () => watcher.close() };
  }

  assertNoLeftovers(): void {
    assertEquals(this.#names(), [NAME]);
  }

  /** Runs the same command again, without any harm: it completes the file, and goes on where a block was stored. */
  async complete(): Promise<Completion> {
    const wasThere = this.hasFile();
    const partialBytes = this.partialBytes();
    const { code, stdout, stderr } = await this.start(this.server.port).outcome;
    const last = JSON.parse(stdout.trimEnd().split("\n").at(-1)!);
    assert(this.hasFile(), `nothing is there after the next run: ${stdout}${stderr}`);
    this.assertNoLeftovers();
    // A server may publish after its client has gone; then it was there just now.
    if (last.code === "exists" && (wasThere || this.way === "put")) return "was there";
    assertEquals([code, wasThere], [0, false], stdout + stderr);
    if (partialBytes >= BLOCK_BYTES) {
      assert(last.resumedBytes >= BLOCK_BYTES, `a partial of ${partialBytes} bytes was of no use: ${stdout}`);
    }
    return last.resumedBytes > 0 ? "resumed" : "anew";
  }

  /** Makes it as if nothing had been transferred. */
  clear(): void {
    for (const name of this.#names()) Deno.removeSync(`${this.#target}/${name}`);
  }

  get #target(): string {
    return this.way === "get" ? this.#here.path : this.#shared.path;
  }

  #names(): string[] {
    return names(this.#target);
  }

  async #measureTravel(): Promise<Stage["travel"]> {
    await using proxy = new HarmfulProxy(this.server.port);
    const { code, stderr } = await this.start(proxy.port).outcome;
    assertEquals(code, 0, stderr);
    this.clear();
    const travelled = proxy.counts[this.dataDirection] / this.#content.length;
    assert(this.wrapping === "compressed" ? travelled < 0.6 : travelled > 1, `it has ${travelled} of its size`);
    return { ...proxy.counts };
  }
}

function firstDifference(one: Uint8Array, other: Uint8Array): number | undefined {
  for (let index = 0; index < other.length; index++) {
    if (one[index] !== other[index]) return index;
  }
}
