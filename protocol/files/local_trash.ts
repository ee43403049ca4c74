/** The trash of a directory: beginning runs, finding the last one, and removing old ones. */
import { AppError, hasCode } from "../errors.ts";
import { quoteName } from "../escape.ts";
import { TRASH_AGE_MAX_MS, TRASH_BYTES_MIN, TRASH_RUNS_MAX, TRASH_SHARE } from "../limits.ts";
import { translated } from "./fs_errors.ts";
import type { FileSystem } from "./file_system.ts";
import { LocalPastRun } from "./past_run.ts";
import type { Resolver } from "./resolve.ts";
import type { RunFacts, RunOptions, Trash, TrashRun, UndoFacts, Undoing } from "./trash.ts";
import { closeRun, runId, startOf, type TrashedRun, TrashFolder } from "./trash_folder.ts";
import { type NoteHead, readBackwards, readHead } from "./trash_note.ts";
import { LocalTrashRun } from "./trash_run.ts";

const TAG = /^[0-9a-f]{16}$/;

export interface LocalTrashOptions {
  /** @default the time of the system */
  readonly now?: () => number;
  /** @default `TRASH_BYTES_MIN` */
  readonly bytesMin?: number;
  /** @default `TRASH_RUNS_MAX` */
  readonly runsMax?: number;
  /** Attempts that are under way, which several views of one tree share. @default none */
  readonly underWay?: Map<string, LocalTrashRun>;
}

/** A run, and what its note says of it. */
interface FoundRun {
  readonly id: string;
  readonly head: NoteHead;
}

export class LocalTrash implements Trash {
  readonly #fs: FileSystem;
  readonly #resolver: Resolver;
  readonly #folder: TrashFolder;
  readonly #usedBytes: () => Promise<number>;
  readonly #now: () => number;
  readonly #bytesMin: number;
  readonly #runsMax: number;
  /** By what tells that a later one is an attempt at the same run. */
  readonly underWay: Map<string, LocalTrashRun>;

  /** `usedBytes`: how much there is in the tree, the trash with it. */
  constructor(
    fs: FileSystem,
    resolver: Resolver,
    usedBytes: () => Promise<number>,
    { now = Date.now, bytesMin = TRASH_BYTES_MIN, runsMax = TRASH_RUNS_MAX, underWay = new Map() }: LocalTrashOptions =
      {},
  ) {
    this.#fs = fs;
    this.#resolver = resolver;
    this.#folder = new TrashFolder(fs, resolver.root);
    this.#usedBytes = usedBytes;
    this.#now = now;
    this.#bytesMin = bytesMin;
    this.#runsMax = runsMax;
    this.underWay = underWay;
  }

  begin(facts: RunFacts, options: RunOptions): TrashRun {
    const { tag } = options;
    if (tag === undefined) return this.#begin(facts, options, () => this.#make());
    const key = JSON.stringify([tag, facts.who, facts.directory]);
    // It may not know yet that its connection is gone, and hold the notes until it does.
    const ended = this.underWay.get(key)?.handOver();
    ended?.catch(() => {}); // that is told when this one opens the notes
    const run = this.#begin(facts, options, async () => {
      await ended;
      return await this.#openTagged(facts, tag);
    }, { onClosed: () => this.underWay.get(key) === run && this.underWay.delete(key) });
    this.underWay.set(key, run);
    return run;
  }

  async undo(facts: UndoFacts, options: RunOptions): Promise<Undoing & AsyncDisposable> {
    try {
      return await this.#undo(facts, options);
    } catch (error) {
      throw translated("undo what was done in", facts.directory, error);
    }
  }

  async #undo(facts: UndoFacts, options: RunOptions): Promise<Undoing & AsyncDisposable> {
    if (!this.#folder.isThere()) throw nothingToUndo(facts.directory);
    await using held = new AsyncDisposableStack();
    const lock = await this.#folder.lock();
    if (!lock) throw new AppError("not_found", "There is nothing to undo: somebody else is undoing something");
    held.use(lock);
    const last = this.#last(facts);
    const isOwn = options.tag !== undefined && last.id.endsWith(options.tag) && last.head.undoes !== undefined;
    const undone = last.head.undoes === undefined ? undefined : await this.#undoneIn(last.id);
    const wasWhole = undone === "all";
    const goesOn = undone !== undefined && undone !== "all";
    const pastId = goesOn || isOwn ? last.head.undoes! : last.id;
    const past = held.use(await this.#openPast(pastId, options));
    let run: TrashRun | undefined;
    if (!facts.isDryRun && !(isOwn && wasWhole)) {
      const { directory, who } = facts;
      const open = goesOn ? () => this.#reopen(last.id) : () => this.#make(options.tag);
      run = this.#begin({ directory, who, undoes: pastId }, options, open, { bytesMin: Infinity });
    }
    const all = held.move();
    const isUndone = (index: number) => goesOn && undone.has(index);
    return { past, run, isUndone, [Symbol.asyncDispose]: () => all.disposeAsync() };
  }

  /** How much there is in it. */
  async measure(): Promise<{ readonly bytes: number; readonly files: number }> {
    try {
      return this.#folder.isThere() ? await this.#folder.measure() : { bytes: 0, files: 0 };
    } catch (error) {
      if (error instanceof AppError) return { bytes: 0, files: 0 }; // none of ours, or gone in that moment
      throw error;
    }
  }

  async sweep({ nowMs = this.#now(), all = false } = {}): Promise<number> {
    try {
      return await this.#sweep(nowMs, all);
    } catch (error) {
      throw translated("remove old runs in", "the trash", error);
    }
  }

  async removableBytes(): Promise<number> {
    try {
      return await this.#measureRuns();
    } catch (error) {
      throw translated("look at", "the trash", error);
    }
  }

  async #measureRuns(): Promise<number> {
    if (!this.#folder.isThere()) return 0;
    let bytes = 0;
    for (const id of this.#folder.runs()) bytes += await this.#bytesIn(id) ?? 0;
    return bytes;
  }

  /** How much there is in a run, which others can have meanwhile; `undefined` while somebody is at it. */
  async #bytesIn(id: string): Promise<number | undefined> {
    const run = await this.#folder.openRun(id);
    if (!run) return 0;
    if (run === "taken") return undefined;
    const bytes = sizeOf(run);
    closeRun(run);
    return bytes ?? await this.#measureRun(id);
  }

  async #measureRun(id: string): Promise<number> {
    try {
      return (await this.#folder.measure(id)).bytes;
    } catch (error) {
      if (hasCode(error, "not_found")) return 0; // it is removed in that moment
      throw error;
    }
  }

  async #sweep(nowMs: number, all: boolean): Promise<number> {
    if (!this.#folder.isThere()) return 0;
    const runs = this.#folder.runs();
    let bytesMax = all ? 0 : this.#bytesMin;
    let [bytes, removed, isMeasured] = [0, 0, all];
    for (const [index, id] of runs.entries()) {
      const bytesIn = await this.#bytesIn(id);
      if (bytesIn === undefined) continue; // somebody is at it
      bytes += bytesIn;
      if (bytes > bytesMax && index > 0 && !isMeasured) {
        bytesMax = Math.max(bytesMax, TRASH_SHARE * await this.#usedBytes());
        isMeasured = true;
      }
      const isLarge = bytes > bytesMax && index > 0; // the last one may be undone, however large it is
      if (!all && !isLarge && index < this.#runsMax && this.#isYoung(id, nowMs)) continue;
      const run = await this.#folder.openRun(id);
      if (run === "taken") continue;
      using _held = { [Symbol.dispose]: () => run && closeRun(run) };
      await this.#folder.remove(id);
      removed++;
    }
    return removed;
  }

  #begin(
    facts: RunFacts,
    options: RunOptions,
    open: () => Promise<TrashedRun>,
    { bytesMin = this.#bytesMin, onClosed }: { bytesMin?: number; onClosed?: () => void } = {},
  ): LocalTrashRun {
    return new LocalTrashRun(facts, {
      ...options,
      onClosed,
      fs: this.#fs,
      resolver: this.#resolver,
      open,
      sizeOf: async (run) => sizeOf(run) ?? await this.#measureRun(run.id),
      bytesMin,
      bytesMax: async () => TRASH_SHARE * await this.#usedBytes(),
    });
  }

  #isYoung(id: string, nowMs: number): boolean {
    return nowMs - startOf(id)! <= TRASH_AGE_MAX_MS;
  }

  /** The run with that tag, if it broke off and is of the same kind; else a new one. */
  async #openTagged(facts: RunFacts, tag: string): Promise<TrashedRun> {
    await this.#folder.make();
    const id = this.#folder.runs().find((id) => id.endsWith(`-${tag}`));
    const run = id ? await this.#folder.openRunToWork(id) : undefined;
    if (!run || run === "taken") return await this.#make(id ? undefined : tag);
    const head = readHead(run.note);
    if (head?.who === facts.who && head.directory === facts.directory && head.undoes === facts.undoes) return run;
    closeRun(run);
    return await this.#make(undefined);
  }

  async #make(tag = randomTag()): Promise<TrashedRun> {
    await this.#folder.make();
    const newest = this.#folder.runs()[0];
    // A clock that was put back must not make another run the last one.
    const ms = Math.max(this.#now(), newest ? startOf(newest)! + 1 : 0);
    return await this.#folder.makeRun(runId(ms, TAG.test(tag) ? tag : randomTag()));
  }

  async #reopen(id: string): Promise<TrashedRun> {
    const run = await this.#folder.openRunToWork(id);
    return run && run !== "taken" ? run : await this.#make();
  }

  /** Throws `not_found`, and `busy` while it is under way. */
  #last({ directory, mayUndo }: UndoFacts): FoundRun {
    for (const id of this.#folder.runs()) {
      const head = this.#folder.head(id);
      if (head && isWithin(head.directory, directory) && mayUndo(head.who)) return { id, head };
    }
    throw nothingToUndo(directory);
  }

  /** Which notes of another run an undo has taken back. */
  async #undoneIn(id: string): Promise<"all" | ReadonlySet<number>> {
    const undone = new Set<number>();
    const run = await this.#folder.openRunToWork(id);
    if (!run || run === "taken") return undone;
    using _held = { [Symbol.dispose]: () => closeRun(run) };
    let isLast = true;
    for (const line of readBackwards(run.note)) {
      if (isLast && line.do === "end" && line.isWhole) return "all";
      if (line.do === "undid") undone.add(line.at);
      isLast = false;
    }
    return undone;
  }

  async #openPast(id: string, { onChanged }: RunOptions): Promise<LocalPastRun> {
    const run = await this.#folder.openRunToWork(id);
    if (run === "taken") throw new AppError("busy", "Cannot undo: it is still under way");
    const head = run && readHead(run.note);
    if (run && head) return new LocalPastRun(this.#fs, this.#resolver, run, head, onChanged);
    if (run) closeRun(run);
    throw new AppError("not_found", "There is nothing to undo: what was noted cannot be read");
  }
}

/** What the last line of its note says. */
function sizeOf(run: TrashedRun): number | undefined {
  const [last] = readBackwards(run.note);
  return last?.do === "end" ? last.bytes : undefined;
}

function randomTag(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function isWithin(name: string, directory: string): boolean {
  return directory === "" || name === directory || name.startsWith(`${directory}/`);
}

function nothingToUndo(directory: string): AppError {
  const where = directory === "" ? "" : ` in ${quoteName(directory)}`;
  return new AppError("not_found", `There is nothing to undo${where}`, {
    advice: "What push and pull change is kept for 7 days, unless they are told --trash off",
  });
}
