/** What a receiver of a tree is asked for, and what it may do. */
import type { AppError } from "../errors.ts";
import type { PlanRules } from "./tree_plan.ts";
import type { Preflight } from "./tree_preflight.ts";
import type { TreeEvents } from "./tree_report.ts";
import { joinNames } from "./tree_walk.ts";

/** What a receiver asks about before it does it; the name is whole. */
export type TreeAction = "list" | "create" | "overwrite" | "remove";

export interface ReceiveTreeOptions extends TreeEvents, Omit<PlanRules, "removes"> {
  /** What the sender does not have is removed, if that is at most so much; absent: nothing is. */
  readonly removeMax?: number | undefined;
  /** The sender is asked which of those are to stay. */
  readonly asksSender?: boolean | undefined;
  /** How many new files are put off, since they may be files that go. @default `TREE_MOVES_MAX` */
  readonly movesMax?: number | undefined;
  /** Which names are left as they are, whatever is told of them. */
  readonly excludes?: ((name: string, isDirectory: boolean) => boolean) | undefined;
  readonly isDryRun?: boolean | undefined;
  readonly isUnflushed?: boolean | undefined;
  /** Why something may not be done. */
  readonly refuses?: ((action: TreeAction, name: string) => AppError | undefined) | undefined;
  /** The largest file to take. */
  readonly sizeBytesMax?: number | undefined;
  /** What cannot work is found before anything is changed, or left out. */
  readonly preflight?: Preflight | undefined;
  /** Told at the end of a dry run how much room it takes to do it. */
  readonly onNeed?: ((need: { readonly bytes: number; readonly files: number }) => void) | undefined;
  /** How much of what is replaced may be kept, for `onNeed`; absent: nothing is. */
  readonly keepableBytes?: (() => Promise<number>) | undefined;
  /** Called before it is told to be over; how many were replaced or removed that could not be kept. */
  readonly settle?: (() => Promise<number>) | undefined;
  /** Told of what the sender has and cannot send. */
  readonly onLeftOut?: ((name: string) => void) | undefined;
  /** Told how many entries have names that nobody may send. */
  readonly onHidden?: ((count: number) => void) | undefined;
}

/** What may be done below the directory `top`, by names from there. */
export class TreeRights {
  readonly #top: string;
  readonly #refuses: ReceiveTreeOptions["refuses"];

  constructor(top: string, refuses: ReceiveTreeOptions["refuses"]) {
    this.#top = top;
    this.#refuses = refuses;
  }

  /** Why it may not be done. */
  refusal(action: TreeAction, name: string): AppError | undefined {
    return this.#refuses?.(action, joinNames(this.#top, name));
  }

  /** Throws why it may not be done. */
  require(action: TreeAction, name: string): void {
    const refusal = this.refusal(action, name);
    if (refusal) throw refusal;
  }
}
