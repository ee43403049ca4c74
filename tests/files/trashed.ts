/** A temporary tree with a clock of its own for its trash, runs that change it, and looks into the trash. */
import { AppError } from "../../protocol/errors.ts";
import { keepIn, type KeepingRun } from "../../protocol/files/keep_in.ts";
import type { FileSystem } from "../../protocol/files/file_system.ts";
import type { LocalTrashOptions } from "../../protocol/files/local_trash.ts";
import type { Change, FileTree } from "../../protocol/files/tree.ts";
import { undoLast } from "../../protocol/files/undo_last.ts";
import { TemporaryTree } from "./temporary_tree.ts";

export const START_MS = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

export interface Undone {
  /** Each action and its name. */
  readonly done: string[];
  readonly failures: string[];
}

export class TrashedTree extends TemporaryTree {
  readonly #clock: { nowMs: number };

  constructor(limits: Pick<LocalTrashOptions, "bytesMin" | "runsMax"> = {}, exchanged: Partial<FileSystem> = {}) {
    const clock = { nowMs: START_MS - 1_000 };
    super(exchanged, { now: () => clock.nowMs, ...limits });
    this.#clock = clock;
  }

  get nowMs(): number {
    return this.#clock.nowMs;
  }

  set nowMs(ms: number) {
    this.#clock.nowMs = ms;
  }

  /** Changes the tree in one run, a second later than the one before. */
  async run(
    change: (tree: FileTree) => Promise<void>,
    { choice = "on", tag, who = "me", directory = "" }: {
      choice?: "on" | "auto";
      tag?: string;
      who?: string;
      directory?: string;
    } = {},
  ): Promise<number> {
    this.nowMs += 1_000;
    await using keeping: KeepingRun = keepIn(this.tree, choice, { directory, who, tag });
    await change(keeping.tree);
    return await keeping.settle!();
  }

  async undo(
    { directory = "", who, isDryRun = false, tag }: {
      directory?: string;
      who?: string;
      isDryRun?: boolean;
      tag?: string;
    } = {},
  ): Promise<Undone> {
    this.nowMs += 1_000;
    const undone: Undone = { done: [], failures: [] };
    const mayUndo = (maker: string) => who === undefined || who === maker;
    await undoLast(this.tree, { directory, who: who ?? "me", mayUndo, isDryRun }, {
      tag,
      onUndone: (action, name) => undone.done.push(`${action} ${name}`),
      onFailed: (name, { code }) => undone.failures.push(`${name}: ${code}`),
    });
    return undone;
  }

  /** The names of the runs, the oldest first. */
  runs(): string[] {
    return [...Deno.readDirSync(this.at(".app-trash"))].filter(({ isDirectory }) => isDirectory).map(({ name }) => name)
      .sort();
  }
}

/** Stores `text` as `name` in place of what is there. */
export async function put(tree: FileTree, name: string, text: string, mtimeMs = 1_700_000_000_000): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  const draft = await tree.create(name, { sizeBytes: bytes.length, mtimeMs }, "replace");
  try {
    await draft.startAt(0);
    await draft.write(bytes);
    await draft.publish();
  } finally {
    await draft.discard();
  }
}

/** Gives it another time, or other bits; "" is the directory itself. */
export async function adjustIn(tree: FileTree, directory: string, base: string, facts: Change["facts"]): Promise<void> {
  const folder = await tree.folder(directory);
  const [adjusted] = await folder.adjust([{ base, facts, expected: await folder.look(base) ?? "directory" }]);
  if (adjusted instanceof AppError) throw adjusted;
  await adjusted!.release();
}

export async function removeIn(tree: FileTree, directory: string, ...bases: string[]): Promise<void> {
  const folder = await tree.folder(directory);
  for (const base of bases) await folder.remove(base);
}
