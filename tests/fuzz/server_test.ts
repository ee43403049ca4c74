/**
 * The whole server, as a process, with harmed recordings of what clients say: in our own format and in the old ones, in
 * any pieces, ended, cut off or never read. It serves an honest client throughout, tells of no defect in its log,
 * stores nothing but what was put, and needs no more memory than before.
 */
import { Client, getFile, intoTree, LocalTree } from "../../client/mod.ts";
import { nameFault } from "../../protocol/names.ts";
import { RawConnection, soon } from "../server/served.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { connectionsTo, memoryOf } from "../support/process.ts";
import { ServerProcess, temporaryDirectory } from "../support/program.ts";
import { Random } from "../support/random.ts";
import { concat, randomChunks } from "../wire/decoding.ts";
import { type Bytes, mutateUnits } from "./mutations.ts";
import { assertReached, playRounds, type Round } from "./rounds.ts";
import { Said } from "./said.ts";
import { leavePartial, writeShared } from "./sessions.ts";
import { greeted, readSession, sessionNames, type Unit } from "./transcripts.ts";

/** Rounds between two looks at the directory, which is then made as it was. */
const ROUNDS = 800;
const BATCHES = 8;
/** After so many batches the server has all that it needs: code that is compiled, a heap that has found its size. */
const WARM_BATCHES = 3;
/** Connections at once: most of a round with an old format is a silence. */
const LANES = 24;
/** How long an answer that was recorded is waited for, before the client goes on without it. */
const ANSWER_MS = 30;
/** The server ends a connection whose client has ended its side; sooner than this, also on a machine that is busy. */
const END_MS = 30_000;
/** What allocators and caches may keep; each of the 24 connections of before may have had a buffer of 262,144 bytes. */
const GROWTH_BYTES_MAX = 80 * 1_048_576;

/** More of a session is file data, where one place is as good as another. */
const CUT_BYTES_MAX = 400;

const ANCHOR = new Random(9).bytes(100_000);

interface Session {
  readonly name: string;
  readonly units: readonly Unit[];
  readonly sent: readonly Bytes[];
}

class Arena implements AsyncDisposable {
  readonly said = new Said();
  server!: ServerProcess;
  sessions!: readonly Session[];
  readonly #folder = temporaryDirectory();
  readonly shared = `${this.#folder.path}/shared`;

  static async open(): Promise<Arena> {
    const arena = new Arena();
    Deno.mkdirSync(arena.shared);
    await arena.restore();
    Deno.writeTextFileSync(`${arena.#folder.path}/outside.txt`, "outside");
    const table = `${arena.#folder.path}/countries.csv`;
    Deno.writeTextFileSync(table, "Country,Capital,Population\nFrance,Paris,68\nPeru,Lima,34\n");
    const args = ["--log", "json", "--data", table, "--allow-overwrite", "--allow-remove", "--max-file-size", "64M"];
    arena.server = await ServerProcess.start(arena.shared, args);
    const line = await arena.#openingLine();
    arena.sessions = sessionNames().map((name) => {
      const recorded = readSession(name);
      const units = recorded[0]!.bytes[0] === 0x41 ? greeted(recorded, line) : recorded;
      return { name, units, sent: units.filter(({ side }) => side === "client").map(({ bytes }) => bytes) };
    });
    return arena;
  }

  get port(): number {
    return Number(this.server.port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.stop("SIGKILL");
    this.#folder[Symbol.dispose]();
  }

  /** Makes the shared directory as it was; nobody may be at work there but who gets the anchor. */
  async restore(): Promise<void> {
    for (const { name } of Deno.readDirSync(this.shared)) {
      if (name !== "anchor") Deno.removeSync(`${this.shared}/${name}`, { recursive: true });
    }
    writeShared(this.shared);
    await leavePartial(this.shared, "partial.bin");
    if (!Array.from(Deno.readDirSync(this.shared)).some(({ name }) => name === "anchor")) {
      Deno.writeFileSync(`${this.shared}/anchor`, ANCHOR);
    }
  }

  /** That what lies there is what was there, or was put, under names that keep the rule, and nothing lies beside it. */
  assertOnlyWhatWasPut(): void {
    const beside = Array.from(Deno.readDirSync(this.#folder.path), ({ name }) => name).sort();
    assertEquals(beside, ["countries.csv", "outside.txt", "shared"]);
    assertEquals(Deno.readTextFileSync(`${this.#folder.path}/outside.txt`), "outside");
    using before = temporaryDirectory();
    writeShared(before.path);
    const known = new Set(
      [...filesBelow(before.path)].map((name) => Deno.readFileSync(`${before.path}/${name}`).toHex()),
    );
    for (const name of filesBelow(this.shared)) {
      if (/(^|\/)\.app-partial-[^/]+$/.test(name) || name === "anchor") continue;
      assertEquals(nameFault(name), undefined, name);
      const bytes = Deno.readFileSync(`${this.shared}/${name}`);
      assert(known.has(bytes.toHex()) || this.said.has(bytes), `${name} holds ${bytes.length} bytes that nobody put`);
    }
  }

  /** Waits until the server has ended all connections: what they put is there, or never will be. */
  async untilQuiet(): Promise<void> {
    const deadline = performance.now() + END_MS;
    while (connectionsTo(this.port) > 0) {
      assert(performance.now() < deadline, `${connectionsTo(this.port)} connections are still there`);
      await Deno.lstat(this.shared); // gives the others their turn
    }
  }

  async #openingLine(): Promise<string> {
    using conn = await RawConnection.open(this.port);
    await conn.write("APP/1\n");
    return await conn.readLine();
  }
}

function* filesBelow(path: string, prefix = ""): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(path)) {
    if (isDirectory) yield* filesBelow(`${path}/${name}`, `${prefix}${name}/`);
    else yield prefix + name;
  }
}

/** One connection that counts what comes back, and can be left in several ways. */
class Caller implements Disposable {
  answered = 0;
  readonly ended: Promise<void>;
  readonly #conn: Deno.TcpConn;
  #grown = Promise.withResolvers<void>();
  #isOpen = true;

  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
    this.ended = this.#count();
  }

  /** Whether all was taken; a server may end a connection in the midst of it. */
  async say(bytes: Uint8Array): Promise<boolean> {
    try {
      for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
      return true;
    } catch {
      return false;
    }
  }

  /** Waits until so much has come back, but not for long: what was harmed has other answers. */
  async hear(count: number): Promise<boolean> {
    const late = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => late.resolve(false), ANSWER_MS);
    const heard = (async () => {
      while (this.answered < count && this.#isOpen) await this.#grown.promise;
      return this.answered >= count;
    })();
    try {
      return await Promise.race([late.promise, heard]);
    } finally {
      clearTimeout(timer);
    }
  }
  async end(): Promise<void> {
    await this.#conn.closeWrite().catch(() => {}); // the server may have ended it
    await soon(this.ended, "the end of a connection whose client has ended its side", END_MS);
  }

  [Symbol.dispose](): void {
    if (this.#isOpen) this.#conn.close();
    this.#isOpen = false;
    this.#grown.resolve();
  }

  async #count(): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (let count = await this.#conn.read(buffer); count !== null; count = await this.#conn.read(buffer)) {
        this.answered += count;
        const { resolve } = this.#grown;
        this.#grown = Promise.withResolvers();
        resolve();
      }
    } catch {
      // It was reset, or we closed it.
    }
    if (this.#isOpen) this.#conn.close();
    this.#isOpen = false;
    this.#grown.resolve();
  }
}

async function play(arena: Arena, { random, describe }: Round): Promise<string> {
  const { name, units, sent } = random.pick(arena.sessions);
  const harmed = random.below(8) === 0 ? [...sent] : mutateUnits(sent, arena.sessions.map((one) => one.sent), random);
  const way = random.pick(["end", "end", "end", "drop"]);
  const isPatient = random.below(3) > 0;
  const pieces = random.pick([Infinity, Infinity, 200, 20]);
  const told = harmed.map((unit) => unit.length > 500 ? `${unit.length} bytes` : unit.toHex());
  describe(`${name}, ${way}, ${isPatient ? "waiting for answers, " : ""}${told.join(" ")}`);
  arena.said.add(harmed);
  using caller = new Caller(await Deno.connect({ hostname: "127.0.0.1", port: arena.port }));
  let isAsRecorded = isPatient;
  for (const [index, unit] of harmed.entries()) {
    if (isAsRecorded) isAsRecorded = await caller.hear(answerBefore(units, index));
    const chunks = pieces === Infinity ? [unit] : randomChunks(unit, random, pieces).filter((one) => one.length > 0);
    for (const chunk of chunks) if (!await caller.say(chunk)) return `${way} early`;
  }
  if (way === "end") await caller.end();
  return way;
}

/** How much the server had said when the client said its unit `index`, as it was recorded. */
function answerBefore(units: readonly Unit[], index: number): number {
  let answered = 0;
  let seen = 0;
  for (const { side, bytes } of units) {
    if (side === "client" && seen++ === index) return answered;
    if (side === "server") answered += bytes.length;
  }
  return answered;
}

/** Gets the same file again and again, looks at every byte of it, and pings. */
class HonestClient implements AsyncDisposable {
  #rounds = 0;
  readonly #running: Promise<void>;
  #isOver = false;

  constructor(port: number) {
    this.#running = this.#run(port);
    this.#running.catch(() => {}); // it is told at the end
  }

  /** Throws what it was not served honestly with. */
  async finish(): Promise<void> {
    this.#isOver = true;
    await this.#running;
    assert(this.#rounds > 0, "nobody was served honestly");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.finish().catch(() => {}); // who looks for it has finished it
  }

  async #run(port: number): Promise<void> {
    using here = temporaryDirectory();
    while (!this.#isOver) {
      await using client = new Client({ host: "127.0.0.1", port }, { retries: 0 });
      await getFile(client, "anchor", intoTree(new LocalTree(here.path), "anchor", "error"));
      assertEquals(Deno.readFileSync(`${here.path}/anchor`).toHex(), ANCHOR.toHex());
      Deno.removeSync(`${here.path}/anchor`);
      await client.ping();
      this.#rounds++;
    }
  }
}

/** A recorded session that ends behind so many bytes. */
async function playCut(arena: Arena, sent: readonly Bytes[], length: number): Promise<string> {
  const bytes = concat(...sent).subarray(0, length);
  arena.said.add([...sent, bytes]);
  using caller = new Caller(await Deno.connect({ hostname: "127.0.0.1", port: arena.port }));
  await caller.say(bytes);
  await caller.end();
  return "end";
}

/** Rounds with an honest client beside them; then nothing may be there but what was put. */
async function playBatch(arena: Arena, batch: number): Promise<void> {
  await using honest = new HonestClient(arena.port);
  const options = { rounds: ROUNDS, lanes: LANES, play: (round: Round) => play(arena, round) };
  assertReached(await playRounds({ name: `server ${batch}`, ...options }), ["end", "drop"]);
  await honest.finish();
  await arena.untilQuiet();
  arena.assertOnlyWhatWasPut();
  await arena.restore();
}

Deno.test("a server serves honestly whatever others say, tells of no defect, and stores what was put", async () => {
  await using arena = await Arena.open();
  const memory: number[] = [];
  for (let batch = 0; batch < BATCHES; batch++) {
    await playBatch(arena, batch);
    memory.push(memoryOf(arena.server.pid, "VmRSS")!);
  }
  const grown = memory.at(-1)! - memory[WARM_BATCHES - 1]!;
  assert(grown < GROWTH_BYTES_MAX, `it has grown by ${grown} bytes: ${memory}`);
  await assertSoundEnd(arena, [
    "done",
    "malformed",
    "damaged",
    "order",
    "limit",
    "unsupported",
    "not_found",
    "bad_name",
  ]);
});

Deno.test("a session may end behind any byte of it, and the server goes on", async () => {
  await using arena = await Arena.open();
  const cuts = arena.sessions.flatMap(({ name, sent }) => {
    const length = Math.min(CUT_BYTES_MAX, concat(...sent).length);
    return Array.from({ length }, (_, at) => ({ name, sent, length: at + 1 }));
  });
  await using honest = new HonestClient(arena.port);
  await playRounds({
    name: "cuts",
    rounds: cuts.length,
    lanes: LANES,
    play({ number, describe }) {
      const { name, sent, length } = cuts[number % cuts.length]!;
      describe(`${name}, cut behind ${length} bytes`);
      return playCut(arena, sent, length);
    },
  });
  await honest.finish();
  await arena.untilQuiet();
  arena.assertOnlyWhatWasPut();
  await assertSoundEnd(arena, ["done", "lost"]);
});

/** That the server ends as it should, and that its log has records only, none of a defect, and some of each of `results`. */
async function assertSoundEnd(arena: Arena, results: readonly string[]): Promise<void> {
  const { code, log } = await arena.server.stop();
  assertEquals(code, 0);
  const lines = log.trimEnd().split("\n").map((line) => {
    assert(line.startsWith("{"), `what is in the log is no record: ${line}`);
    return JSON.parse(line);
  });
  const defects = lines.filter(({ result, by }) => result === "internal" && by !== "peer");
  assertEquals(defects.slice(0, 3), []);
  assertReached(new Map<string, number>(lines.map(({ result }) => [result, 1])), results);
}
