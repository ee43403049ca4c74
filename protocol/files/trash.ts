/**
 * What a tree must be able to do so that a run that changed it can be undone: the interface, of which `local_trash.ts`
 * is the implementation for a directory.
 *
 * A run is all that one push or pull, or one undo, changes. Before each change it is noted, and what is replaced or
 * removed is kept. So whatever a crash leaves, the notes say at least what was done, and what was there before is under
 * its name or in the trash.
 */
import type { AppError } from "../errors.ts";

/** What stands under a name; of a file size and time, of a link target and time. */
export interface TrashFacts {
  readonly kind: "file" | "directory" | "link" | "other";
  readonly sizeBytes?: number | undefined;
  readonly mtimeMs?: number | undefined;
  readonly mode?: number | undefined;
  readonly target?: string | undefined;
}

/** What is about to be done to the name `base` of a directory; to adjust "" is to adjust the directory itself. */
export type Deed =
  /** A file or link gets the name. `isNew`: nothing has it, or it would fail. */
  | { readonly do: "store"; readonly base: string; readonly now: TrashFacts; readonly isNew?: boolean }
  | { readonly do: "remove" | "make"; readonly base: string }
  | {
    readonly do: "adjust";
    readonly base: string;
    readonly now: { readonly mtimeMs?: number | undefined; readonly permissions?: number | undefined };
  }
  /** What has the whole name `from` gets this one; `was`: with another time or other bits than it had. */
  | {
    readonly do: "move";
    readonly base: string;
    readonly from: string;
    readonly was?: TrashFacts | undefined;
    readonly now: TrashFacts;
  };

/**
 * `true`: go on. "moved": what had the name is in the trash, and no longer here. An error: do not do it, since what is
 * there cannot be kept.
 */
export type KeepResult = true | "moved" | AppError;

/** How much more there is in the tree, and in its trash. */
export type OnTrashed = (change: { readonly bytes?: number; readonly files?: number }) => void;

export interface RunFacts {
  /** Below which directory of the tree it changes things. */
  readonly directory: string;
  /** Who may undo it. */
  readonly who: string;
  /** Which run it takes back. */
  readonly undoes?: string | undefined;
}

export interface RunOptions {
  /** What cannot be kept is not to be replaced or removed. @default it is, and counted */
  readonly isStrict?: boolean | undefined;
  readonly isUnflushed?: boolean | undefined;
  /** 16 hexadecimal digits: a run that broke off goes on when it is begun with the same ones. @default random ones */
  readonly tag?: string | undefined;
  readonly onChanged?: OnTrashed | undefined;
}

export interface TrashRun {
  /** What cannot be kept is not to be replaced or removed. */
  readonly isStrict: boolean;
  /** How many were replaced or removed, and not kept. */
  readonly unkept: number;
  /** How much more may be kept; may take long. */
  keepableBytes(): Promise<number>;
  /**
   * Notes that something in `directory` is about to change, which changes its time; `was`: what it is before that, where
   * that is known. An error: do not do it.
   */
  touch(directory: string, was?: TrashFacts): Promise<true | AppError>;
  /** Notes what is about to be done in `directory`, and keeps what goes away by it. */
  keep(directory: string, deeds: readonly Deed[]): Promise<readonly KeepResult[]>;
  /** What was noted last of `name`, that it is made, was not done: somebody else had the name. */
  notDone(name: string): void;
  /** Of an undo: the note number `index` of the other run, the last one being 0, is taken back. */
  undid(index: number): void;
  /** It is over; `isWhole`: and there is nothing that it left undone. Whether anything was changed. */
  close(isWhole?: boolean): Promise<boolean>;
}

/** What was noted of one change. `kept`: where in the trash what was there is. */
export type Note =
  | {
    readonly do: "store";
    readonly name: string;
    readonly was?: TrashFacts;
    readonly now: TrashFacts;
    readonly kept?: string;
  }
  | { readonly do: "remove"; readonly name: string; readonly was: TrashFacts; readonly kept?: string }
  | { readonly do: "make"; readonly name: string }
  | { readonly do: "adjust"; readonly name: string; readonly was: TrashFacts; readonly now: TrashFacts }
  /** Something in that directory changes for the first time. */
  | { readonly do: "touch"; readonly name: string; readonly was: TrashFacts }
  /** `now` is absent in notes of runs that are older than it. */
  | {
    readonly do: "move";
    readonly name: string;
    readonly from: string;
    readonly was?: TrashFacts;
    readonly now?: TrashFacts;
  };

/** A run that is over, and that nobody else undoes meanwhile. */
export interface PastRun extends AsyncDisposable {
  readonly id: string;
  readonly directory: string;
  readonly startedMs: number;
  /** It took back another one itself. */
  readonly isUndo: boolean;
  /** The notes, the last one first. */
  notes(): Iterable<Note>;
  /** What is kept at `kept`; `undefined` if nothing is. */
  look(kept: string | undefined): TrashFacts | undefined;
  /** Gives it back to `name`, in place of a file or link where `isOver`. Throws `exists`. */
  restore(kept: string, name: string, isOver: boolean): void;
  /** Nothing of it is left to be undone. */
  finish(): void;
}

export interface Undoing {
  readonly past: PastRun;
  /** In which run it is taken back; `undefined` if that was done already. */
  readonly run: TrashRun | undefined;
  /** Which notes an undo before this one has taken back, which broke off. */
  readonly isUndone: (index: number) => boolean;
}

export interface UndoFacts extends Omit<RunFacts, "undoes"> {
  /** Whether somebody's run may be undone. */
  readonly mayUndo: (who: string) => boolean;
  readonly isDryRun?: boolean | undefined;
}

export interface Trash {
  /** A run; nothing is made before the first change. */
  begin(facts: RunFacts, options: RunOptions): TrashRun;
  /** The last run in `directory` or below. Throws `not_found` when there is none, `busy` while it is under way. */
  undo(facts: UndoFacts, options: RunOptions): Promise<Undoing & AsyncDisposable>;
  /** Removes runs that are too old, too large or too many, the oldest first, or `all`; how many. */
  sweep(options?: { readonly nowMs?: number; readonly all?: boolean }): Promise<number>;
  /** How many bytes go away when `all` is swept. */
  removableBytes(): Promise<number>;
}
