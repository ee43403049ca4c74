/**
 * Takes a run back: its notes are read from the last to the first, and of each what it tells is undone, if what is there
 * is still what the run left. What is there already as it was before is passed over, so that an undo that broke off can
 * be begun anew. It is a run itself, so it can be undone.
 */
import { breathe } from "../breathe.ts";
import { AppError, hasCode } from "../errors.ts";
import { quoteName } from "../escape.ts";
import { splitName } from "../names.ts";
import type { Deed, Note, PastRun, TrashFacts, TrashRun } from "./trash.ts";
import type { FileTree, Folder, StoredFacts } from "./tree.ts";
import { isAsLeft, isBetween, UndoView } from "./undo_view.ts";

/** What is done about a name. */
export type UndoAction = "restore" | "remove" | "make" | "adjust" | "move";

export interface UndoOptions {
  readonly onUndone: (action: UndoAction, name: string) => void;
  readonly onFailed: (name: string, error: AppError) => void;
  /** Why something may not be done. */
  readonly refuses?: ((action: "create" | "overwrite" | "remove", name: string) => AppError | undefined) | undefined;
  readonly isUnflushed?: boolean | undefined;
  /** Told which run it is. */
  readonly onBegun?: ((past: Pick<PastRun, "directory" | "startedMs" | "isUndo">) => void) | undefined;
  /** Called behind each name: who tells of it may have to wait. */
  readonly breathes?: (() => Promise<void>) | undefined;
}

/** Takes `past` back in `tree`, in `run`; without one, only tells what would be done. How many names failed. */
export async function undoRun(
  tree: FileTree,
  past: PastRun,
  run: TrashRun | undefined,
  options: UndoOptions & { readonly isUndone: (index: number) => boolean },
): Promise<number> {
  const undo = new Undo(tree, past, run, options);
  let index = 0;
  for (const note of past.notes()) {
    const isDone = !options.isUndone(index) && await undo.take(note);
    if (isDone && note.do !== "touch") run?.undid(index); // a time is set anew: what failed before it may go well then
    index++;
    await breathe();
  }
  return await undo.finish();
}

class Undo {
  readonly #past: PastRun;
  readonly #run: TrashRun | undefined;
  readonly #options: UndoOptions;
  readonly #view: UndoView;
  /** Bits that may keep us from working in a directory: set at the end. */
  readonly #bits: { name: string; mode: number }[] = [];
  #dirty: Folder | undefined;
  #failed = 0;

  constructor(tree: FileTree, past: PastRun, run: TrashRun | undefined, options: UndoOptions) {
    this.#past = past;
    this.#run = run;
    this.#options = options;
    this.#view = new UndoView(tree, run === undefined);
  }

  /** Whether nothing failed. */
  async take(note: Note): Promise<boolean> {
    const failedBefore = this.#failed;
    try {
      const action = await this.#undo(note);
      if (action) this.#options.onUndone(action, note.name);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      this.#failed++;
      this.#options.onFailed(note.name, error);
    }
    await this.#options.breathes?.();
    return this.#failed === failedBefore;
  }

  async finish(): Promise<number> {
    for (const { name, mode } of this.#bits.reverse()) {
      const { directory, base } = splitName(name);
      await this.#adjust(await this.#view.folder(directory), base, { permissions: mode }, "directory");
    }
    await this.#turnTo(undefined);
    return this.#failed;
  }

  #undo(note: Note): Promise<UndoAction | undefined> {
    switch (note.do) {
      case "store":
        return this.#undoStore(note);
      case "remove":
        return note.was.kind === "directory" ? this.#makeAgain(note.name, note.was) : this.#bringBack(note);
      case "make":
        return this.#undoMake(note.name);
      case "adjust":
        return this.#undoAdjust(note);
      case "touch":
        return this.#setTime(note);
      case "move":
        return this.#moveBack(note);
    }
  }

  async #undoStore(note: Note & { do: "store" }): Promise<UndoAction | undefined> {
    const { name, was, now } = note;
    const there = await this.#view.look(name);
    const kept = this.#past.look(note.kept);
    if (was === undefined) {
      if (!there) return; // it never came to that, or is undone
      if (!isAsLeft(there, now)) throw changed(name);
      this.#require("remove", name);
      return await this.#remove(name);
    }
    if (there && isAsLeft(there, was) && (!kept || !isAsLeft(there, now))) return;
    if (there && !isAsLeft(there, now)) throw changed(name);
    if (!kept) throw notKept(name);
    this.#require(there ? "overwrite" : "create", name);
    return await this.#restore(name, note.kept!, kept, there);
  }

  /** A file or link that was removed. */
  async #bringBack({ name, was, kept: keptName }: Note & { do: "remove" }): Promise<UndoAction | undefined> {
    const there = await this.#view.look(name);
    if (there && isAsLeft(there, was)) return;
    if (there) throw changed(name);
    const kept = this.#past.look(keptName);
    if (!kept) throw notKept(name);
    this.#require("create", name);
    return await this.#restore(name, keptName!, kept, undefined);
  }

  async #restore(
    name: string,
    keptName: string,
    kept: TrashFacts,
    there: TrashFacts | undefined,
  ): Promise<UndoAction> {
    if (!this.#run) return this.#view.pretend("restore", name, kept);
    await this.#note(name, { do: "store", now: kept });
    const folder = await this.#turnTo(splitName(name).directory);
    this.#past.restore(keptName, name, there !== undefined);
    this.#dirty = folder;
    return "restore";
  }

  async #remove(name: string): Promise<UndoAction> {
    if (!this.#run) return this.#view.pretend("remove", name, undefined);
    const { directory, base } = splitName(name);
    const result = await this.#note(name, { do: "remove" });
    const folder = await this.#turnTo(directory);
    if (result !== "moved") await folder.remove(base);
    this.#dirty = folder;
    return "remove";
  }

  async #undoMake(name: string): Promise<UndoAction | undefined> {
    const there = await this.#view.look(name);
    if (!there) return;
    if (there.kind !== "directory") throw changed(name);
    this.#require("remove", name);
    await this.#view.verifyEmpty(name);
    return await this.#remove(name);
  }

  async #makeAgain(name: string, was: TrashFacts): Promise<UndoAction | undefined> {
    const there = await this.#view.look(name);
    if (there?.kind === "directory") return;
    if (there) throw changed(name);
    this.#require("create", name);
    if (!this.#run) return this.#view.pretend("make", name, was);
    const { directory, base } = splitName(name);
    await this.#note(name, { do: "make" });
    const folder = await this.#turnTo(directory);
    await folder.makeDirectory(base, was.mode);
    this.#dirty = folder;
    const mayStayOpen = was.mode === undefined || (was.mode & OWNER) === OWNER;
    const permissions = mayStayOpen ? was.mode : undefined;
    await this.#adjust(folder, base, { mtimeMs: was.mtimeMs ?? 0, permissions }, "directory");
    if (!mayStayOpen) this.#bits.push({ name, mode: was.mode! });
    return "make";
  }

  async #undoAdjust({ name, was, now }: Note & { do: "adjust" }): Promise<UndoAction | undefined> {
    const there = await this.#view.look(name);
    if (!there || there.kind !== was.kind) return; // what became of it is noted, or not ours to say
    const isDirectory = was.kind === "directory";
    const hasMode = (facts: TrashFacts) => was.kind === "link" || there.mode === facts.mode;
    if (hasMode(was) && there.mtimeMs === was.mtimeMs) return;
    const isAsItWasLeft = hasMode(now) && (isDirectory || isAsLeft(there, now) && there.mtimeMs === now.mtimeMs);
    if (!isAsItWasLeft && isDirectory) return; // somebody gave it other bits since
    if (!isAsItWasLeft) throw changed(name);
    if (this.#refusal("overwrite", name) && isDirectory) return;
    this.#require("overwrite", name);
    if (!this.#run) return this.#view.pretend("adjust", name, was);
    const { directory, base } = splitName(name);
    const facts = { mtimeMs: was.mtimeMs ?? 0, permissions: was.mode };
    await this.#note(name, { do: "adjust", now: facts });
    await this.#adjust(await this.#turnTo(directory), base, facts, was.kind);
    return "adjust";
  }

  /** What was changed in a directory is undone: it gets its time back, if it is there. */
  async #setTime({ name, was }: Note & { do: "touch" }): Promise<undefined> {
    if (!this.#run || this.#refusal("overwrite", name)) return;
    try {
      await this.#adjust(await this.#turnTo(name), ITSELF, { mtimeMs: was.mtimeMs ?? 0 }, "directory");
    } catch (error) {
      if (!(error instanceof AppError) || !GONE.has(error.code)) throw error;
    }
  }

  /** Time and bits are set back before it is moved: an undo that is stopped in between finds it under that name still. */
  async #moveBack({ name, from, was, now }: Note & { do: "move" }): Promise<UndoAction | undefined> {
    const there = await this.#view.look(name);
    if (!there) return;
    this.#require("remove", name);
    const old = await this.#view.look(from);
    const hasBoth = old && isAsLeft(there, old); // it broke off then
    const isLeft = was && now ? isBetween(there, was, now) : hasBoth || !now || isAsLeft(there, now);
    if (!isLeft) throw changed(name);
    if (old && !hasBoth) throw changed(from);
    if (!hasBoth) this.#require("create", from);
    const back = was ?? there;
    if (!this.#run && !hasBoth) this.#view.pretend("move", from, back);
    if (!this.#run) return this.#view.pretend(hasBoth ? "remove" : "move", name, undefined);
    if (hasBoth) {
      await this.#setBack(name, there, back);
      return await this.#remove(name);
    }
    await this.#turnTo(undefined);
    const touched = await this.#run.touch(splitName(name).directory);
    if (touched !== true) throw touched;
    await this.#note(from, { do: "move", from: name, ...(was ? { was: there } : {}), now: back });
    await this.#setBack(name, there, back);
    await this.#view.tree.move(name, from, "error");
    return "move";
  }

  async #setBack(name: string, there: TrashFacts, was: TrashFacts): Promise<void> {
    const { directory, base } = splitName(name);
    const isOfMode = there.mode === was.mode;
    if (isOfMode && there.mtimeMs === was.mtimeMs) return;
    const facts = { mtimeMs: was.mtimeMs ?? 0, permissions: isOfMode ? undefined : was.mode };
    await this.#adjust(await this.#view.folder(directory), base, facts, was.kind);
  }

  /** Throws `busy` for what is exchanged in that moment. */
  async #adjust(folder: Folder, base: string, facts: Partial<StoredFacts>, kind: TrashFacts["kind"]): Promise<void> {
    const expected = kind === "directory" ? kind : await folder.look(base);
    if (!expected) throw changed(base);
    const [adjusted] = await folder.adjust([{ base, facts, expected }]);
    if (adjusted instanceof AppError) throw adjusted;
    if (this.#options.isUnflushed) await adjusted!.release();
    else await adjusted!.flush();
  }

  /** Notes what is about to be done. Throws what keeps it from being done. */
  async #note(name: string, deed: Unnamed): Promise<true | "moved"> {
    const { directory, base } = splitName(name);
    const [result] = await this.#run!.keep(directory, [{ ...deed, base } as Deed]);
    if (result instanceof AppError) throw result;
    return result!;
  }

  /** The folder to work in, when the one before it is flushed. */
  async #turnTo(directory: string): Promise<Folder>;
  async #turnTo(directory: undefined): Promise<void>;
  async #turnTo(directory: string | undefined): Promise<Folder | void> {
    if (this.#dirty && this.#dirty.name !== directory) {
      if (!this.#options.isUnflushed) await flushIfThere(this.#dirty);
      this.#dirty = undefined;
    }
    if (directory !== undefined) return await this.#view.folder(directory);
  }

  #refusal(action: "create" | "overwrite" | "remove", name: string): AppError | undefined {
    return this.#options.refuses?.(action, name);
  }

  #require(action: "create" | "overwrite" | "remove", name: string): void {
    const refusal = this.#refusal(action, name);
    if (refusal) throw refusal;
  }
}

type Unnamed = Deed extends infer D ? D extends Deed ? Omit<D, "base"> : never : never;

/** Of a directory: that itself. */
const ITSELF = "";

/** It went away, or somebody put something else in its place. */
const GONE: ReadonlySet<string> = new Set(["not_found", "not_a_directory", "outside"]);

/** What the owner needs to work in a directory. */
const OWNER = 0o700;

async function flushIfThere(folder: Folder): Promise<void> {
  try {
    await folder.flush();
  } catch (error) {
    if (!hasCode(error, "not_found")) throw error; // it is gone itself
  }
}

function changed(name: string): AppError {
  return new AppError("exists", `${quoteName(name)} is left as it is: it was changed since`, {
    advice: "Move it away and undo again, or leave it: what was there before stays in the trash for a while",
  });
}

function notKept(name: string): AppError {
  return new AppError("not_found", `Cannot restore ${quoteName(name)}: it is not kept any more, or never was`, {
    advice: "What there is no room for in the trash is replaced and removed for good, unless --trash on was said",
  });
}
