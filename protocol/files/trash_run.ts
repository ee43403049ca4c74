/**
 * A run that changes a directory: what it is about to do is noted, and what goes away by that is kept, as a second name
 * of the file in the trash, so that replacing stays one step.
 */
import { AppError } from "../errors.ts";
import type { FileSystem } from "./file_system.ts";
import { errorNameOfSystem, systemCode, translated } from "./fs_errors.ts";
import type { Here } from "./here.ts";
import { KeptNames } from "./kept_names.ts";
import { join } from "./paths.ts";
import type { Resolver } from "./resolve.ts";
import { RunNotes } from "./run_notes.ts";
import { cannotKeep, directoriesOf, factsAt, isKeepable, lineOf, nameIn } from "./trash_deeds.ts";
import type { Deed, KeepResult, RunFacts, RunOptions, TrashFacts, TrashRun } from "./trash.ts";
import { closeRun, type TrashedRun } from "./trash_folder.ts";
import { formatHead, formatLine } from "./trash_note.ts";

export interface LocalRunOptions extends RunOptions {
  readonly fs: FileSystem;
  readonly resolver: Resolver;
  /** Makes the directory of the run, or opens that of one that broke off. */
  readonly open: () => Promise<TrashedRun>;
  /** How much there is in it already. */
  readonly sizeOf: (run: TrashedRun) => Promise<number>;
  /** How much may be kept; asked once, when it is more than `bytesMin`. */
  readonly bytesMin: number;
  readonly bytesMax: () => Promise<number>;
  readonly onClosed?: (() => void) | undefined;
}

export class LocalTrashRun implements TrashRun {
  readonly #facts: RunFacts;
  readonly #options: LocalRunOptions;
  readonly #fs: FileSystem;
  readonly #notes: RunNotes;
  #opening: Promise<TrashedRun> | undefined;
  #run: TrashedRun | undefined;
  #room: number;
  #isRoomKnown = false;
  #bytes = 0;
  #unkept = 0;
  /** Another attempt at the same run goes on with it. */
  #isHandedOver = false;
  #names: KeptNames | undefined;

  constructor(facts: RunFacts, options: LocalRunOptions) {
    this.#facts = facts;
    this.#options = options;
    this.#fs = options.fs;
    this.#room = options.bytesMin;
    this.#notes = new RunNotes(options.fs, (bytes) => {
      this.#bytes += bytes;
      options.onChanged?.({ bytes });
    });
  }

  get isStrict(): boolean {
    return this.#options.isStrict ?? false;
  }

  get unkept(): number {
    return this.#unkept;
  }

  async keepableBytes(): Promise<number> {
    if (!this.#isRoomKnown) await this.#learnRoom();
    return Math.max(0, this.#room - this.#bytes);
  }

  async keep(directory: string, deeds: readonly Deed[]): Promise<readonly KeepResult[]> {
    const results = this.#isHandedOver ? [] : await this.#keep(directory, deeds);
    return this.#isHandedOver ? deeds.map(handedOver) : results;
  }

  async #keep(directory: string, deeds: readonly Deed[]): Promise<readonly KeepResult[]> {
    const isNoted = (deed: Deed) =>
      deed.do === "adjust" && this.#notes.isNoted(nameIn(directory, deed.base), deed.now.permissions);
    if (deeds.every(isNoted)) return deeds.map(() => true);
    try {
      const run = this.#run ?? await this.#open();
      this.#verifyOpen();
      if (this.#notes.hasTouched(directory) && deeds.every(isNew)) return this.#noteNew(run, directory, deeds);
      const visit = () => this.#visit(directory, deeds[0]!.base, (here) => this.#keepHere(run, here, directory, deeds));
      const results = visit() ?? (await this.#learnRoom(), this.#verifyOpen(), visit()!);
      if (!this.#options.isUnflushed && results.some(({ kept }) => kept)) await this.#flush(run, results);
      return results.map(({ result }) => result);
    } catch (cause) {
      const error = translated("keep", directory, cause);
      return deeds.map((deed) => this.#refused(!isNew(deed) && deed.do !== "adjust", error));
    }
  }

  async touch(directory: string, was?: TrashFacts): Promise<true | AppError> {
    const result = this.#isHandedOver ? true : await this.#touchOnce(directory, was);
    return this.#isHandedOver ? handedOver() : result;
  }

  async #touchOnce(directory: string, was: TrashFacts | undefined): Promise<true | AppError> {
    if (this.#notes.hasTouched(directory)) return true;
    try {
      const run = this.#run ?? await this.#open();
      this.#verifyOpen();
      const touchThere = () => this.#visit(directory, "", (here) => this.#notes.touchHere(here, directory));
      this.#notes.write(run.note, was ? this.#notes.touch(directory, was) : touchThere());
      return true;
    } catch (error) {
      return this.#refused(false, translated("note", directory, error)) as true | AppError;
    }
  }

  notDone(name: string): void {
    this.#notes.forget(name);
    if (this.#run) this.#notes.writeIfPossible(this.#run.note, { do: "not", name });
  }

  undid(index: number): void {
    if (this.#run) this.#notes.writeIfPossible(this.#run.note, { do: "undid", at: index }); // else what is there tells it
  }

  /** Another attempt at the same run goes on with it: this one does nothing any more, since it could not be noted. */
  async handOver(): Promise<void> {
    this.#isHandedOver = true;
    await this.#opening?.catch(() => {}); // that is told to who wanted it open
    await this.close(false);
  }

  async close(isWhole = true): Promise<boolean> {
    this.#options.onClosed?.();
    const run = this.#run;
    if (!run) return false;
    this.#run = undefined;
    this.#opening = undefined;
    try {
      this.#notes.write(run.note, formatLine({ do: "end", bytes: this.#bytes, isWhole }));
      if (!this.#options.isUnflushed) await run.note.sync();
    } catch (error) {
      if (translated("end", "the notes", error).code === "internal") throw error; // else it is as if it had broken off
    } finally {
      closeRun(run);
    }
    return true;
  }

  async #open(): Promise<TrashedRun> {
    return await (this.#opening ??= this.#openNote());
  }

  /** What fails here fails for the whole run: without its first line a note says nothing. */
  async #openNote(): Promise<TrashedRun> {
    const run = await this.#options.open();
    try {
      const { size } = run.note.statSync();
      if (size > 0) this.#bytes = await this.#options.sizeOf(run);
      this.#names = new KeptNames(this.#fs, size); // more than there are lines, and than any number that was given before
      run.note.seekSync(0, Deno.SeekMode.End);
      this.#notes.write(run.note, size === 0 ? formatHead(this.#facts) : "\n"); // the last line may be torn
    } catch (error) {
      closeRun(run);
      throw error;
    }
    return this.#run = run;
  }

  #verifyOpen(): void {
    if (this.#isHandedOver) throw handedOver();
  }

  async #learnRoom(): Promise<void> {
    this.#room = Math.max(this.#room, await this.#options.bytesMax());
    this.#isRoomKnown = true;
  }

  #visit<T>(directory: string, base: string, work: (here: Here) => T): T {
    const { resolver } = this.#options;
    const path = directory === "" ? resolver.root : join(resolver.root, directory);
    return resolver.inside(path, base === "" ? directory : nameIn(directory, base), work);
  }

  /** Of what has nothing before it nothing has to be looked at. */
  #noteNew(run: TrashedRun, directory: string, deeds: readonly Deed[]): KeepResult[] {
    this.#notes.write(run.note, deeds.map((deed) => lineOf(deed, directory, undefined, undefined)).join(""));
    return deeds.map((deed) => {
      if (deed.do === "make") this.#notes.made(nameIn(directory, deed.base));
      return true;
    });
  }

  /** `undefined`: how much may be kept has to be known first. */
  #keepHere(
    run: TrashedRun,
    here: Here,
    directory: string,
    deeds: readonly Deed[],
  ): Kept[] | undefined {
    let room = this.#room - this.#bytes;
    const was = deeds.map((deed) => isNew(deed) ? undefined : factsAt(this.#fs, here, deed.base));
    const going = deeds.map((deed, index) => deed.do === "store" || deed.do === "remove" ? was[index] : undefined);
    const fits = going.map((facts) => {
      const fits = room >= (facts?.sizeBytes ?? 0);
      if (fits) room -= facts?.sizeBytes ?? 0;
      return fits;
    });
    if (!this.#isRoomKnown && fits.includes(false)) return undefined;
    const kept = going.map((facts, index) =>
      isKeepable(facts) && fits[index]!
        ? this.#names!.nameFor(run.directory, nameIn(directory, deeds[index]!.base))
        : undefined
    );
    const isRefused = (index: number) => this.#options.isStrict && going[index] !== undefined && isLost(index);
    const isLost = (index: number) => going[index]!.kind !== "directory" && kept[index] === undefined;
    this.#notes.write(
      run.note,
      (deeds.every((deed) => deed.do === "adjust") ? "" : this.#notes.touchHere(here, directory)) +
        deeds.map((deed, index) => isRefused(index) ? "" : lineOf(deed, directory, was[index], kept[index])).join(""),
    );
    return deeds.map((deed, index) => {
      const [facts, name] = [going[index], kept[index]];
      if (deed.do === "make") this.#notes.made(nameIn(directory, deed.base));
      if (!facts || facts.kind === "directory") return { result: true };
      const whole = nameIn(directory, deed.base);
      if (!name) return { result: this.#refused(true, cannotKeep(whole, facts, fits[index]!)) };
      return this.#link(run, here, { base: deed.base, kept: name, facts, whole, isReplaced: deed.do === "store" });
    });
  }

  /** Gives what is there a second name in the trash; or that name only, where a file system has no second ones. */
  #link(run: TrashedRun, here: Here, { base, kept, facts, whole, isReplaced }: Going): Kept {
    const { sizeBytes = 0 } = facts;
    const to = run.directory.at(kept);
    let result: KeepResult = true;
    try {
      try {
        this.#fs.linkSync(here.at(base), to);
      } catch (error) {
        const cause = systemCode(error) ?? "";
        if (!NO_SECOND_NAME.has(cause) && errorNameOfSystem(error) !== "denied") throw error;
        this.#fs.renameSync(here.at(base), to);
        result = "moved";
      }
    } catch (error) {
      return { result: this.#refused(true, translated("keep", whole, error)) };
    }
    this.#bytes += sizeBytes;
    // What is removed by moving it is counted where it is; all else is taken off by who replaces or removes it.
    if (result === true || isReplaced) this.#options.onChanged?.({ bytes: sizeBytes, files: 1 });
    return { result, kept };
  }

  async #flush(run: TrashedRun, results: readonly Kept[]): Promise<void> {
    await run.note.sync();
    for (const path of new Set(results.flatMap(({ kept }) => kept ? directoriesOf(kept) : []))) {
      if (Deno.build.os === "windows") return;
      using directory = this.#fs.openSync(run.directory.at(path), { read: true });
      await directory.sync();
    }
  }

  #refused(isLoss: boolean, error: AppError): KeepResult {
    if (this.#options.isStrict) return error;
    if (isLoss) this.#unkept++;
    return true;
  }
}

interface Going {
  readonly base: string;
  readonly kept: string;
  readonly facts: TrashFacts;
  /** Its whole name. */
  readonly whole: string;
  readonly isReplaced: boolean;
}

interface Kept {
  readonly result: KeepResult;
  readonly kept?: string;
}

/** Of what somebody else owns, or on a file system that has no hard links. */
const NO_SECOND_NAME = new Set(["EPERM", "EACCES", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

function isNew(deed: Deed): boolean {
  return deed.do === "move" || deed.do === "make" || deed.do === "store" && deed.isNew === true;
}

/** The client is at the other one: this connection is of no use to anybody. */
function handedOver(): AppError {
  return new AppError("lost", "Another attempt of the same client goes on with this run");
}
