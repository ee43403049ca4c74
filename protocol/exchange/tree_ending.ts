/**
 * What a receiver of a tree does when all was told: it looks which new files are files that go, moves those, and removes
 * what is left. Whether so much may go is known before anything is moved; who may not remove it moves nothing either.
 */
import { hasCode } from "../errors.ts";
import type { Session } from "./session.ts";
import type { TreeLedger } from "./tree_ledger.ts";
import type { Moves } from "./tree_moves.ts";
import type { Extra, Removal } from "./tree_removal.ts";
import type { Place } from "./tree_told.ts";

export interface EndingOptions {
  readonly session: Session;
  readonly ledger: TreeLedger;
  readonly moves: Moves;
  readonly removal: Removal;
  readonly removes: boolean;
}

export class TreeEnding {
  readonly #options: EndingOptions;
  /** What is to be removed; `undefined` where nothing may be. */
  #extras: readonly Extra[] | undefined = [];
  readonly #removed = new Set<string>();

  constructor(options: EndingOptions) {
    this.#options = options;
  }

  /** Moves what was only moved; the new files that were put off and have to be sent. */
  async move(): Promise<Place[]> {
    const { moves, removes } = this.#options;
    if (removes) await this.#unlessTooMany(() => this.#move());
    return moves.takeRest();
  }

  /** Removes what is left. */
  async remove(): Promise<void> {
    const { session, ledger, removal, removes } = this.#options;
    if (!removes || !this.#extras) return;
    ledger.tally.removed = await removal.settle(session, this.#extras);
    for (const { name } of this.#extras) this.#removed.add(name);
  }

  /** Whether that was to be removed: in a dry run it is there still. */
  hasRemoved(name: string): boolean {
    return this.#removed.has(name);
  }

  async #move(): Promise<void> {
    const { session, moves, removal } = this.#options;
    const extras = await removal.list(session, moves.count);
    const matched = moves.count > 0 && extras.length > 0 ? await moves.match(extras) : [];
    removal.verifyCount(extras, new Set(matched.map(({ from }) => from)));
    const gone = await moves.make(matched);
    removal.verifyCount(extras, gone); // what could not be moved after all is removed like the others
    this.#extras = extras.filter((extra) => !gone.has(extra));
  }

  async #unlessTooMany(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!hasCode(error, "too_many_removals")) throw error;
      this.#extras = undefined;
      this.#options.ledger.fail("", error);
    }
  }
}
