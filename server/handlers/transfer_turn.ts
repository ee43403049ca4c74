/** A transfer under a link that may be good for one: taking its turn, and marking the link as used up. */
import type { Draft } from "../../protocol/files/tree.ts";
import type { Turn } from "../access/turn.ts";
import type { RequestContext } from "./handler.ts";

/** For any other principal all of this does nothing. */
export class TransferTurn implements Disposable {
  readonly #context: RequestContext;
  readonly #what: string;
  #turn: Turn | undefined;

  constructor(context: RequestContext, what: string) {
    this.#context = context;
    this.#what = what;
  }

  /** Call it when the request is authorized, and before any file is touched. Throws `busy` and `not_allowed`. */
  take(): void {
    const { principal, session } = this.#context;
    this.#turn = principal.takeTurn?.(this.#what, session);
  }

  async bind(): Promise<void> {
    await this.#turn?.bind();
  }

  async delivered(): Promise<void> {
    await this.#turn?.delivered();
  }

  /** `draft`, bound, and marking the link before anybody is told that the file is stored. */
  async guard(draft: Draft): Promise<Draft> {
    const turn = this.#turn;
    if (!turn) return draft;
    try {
      await turn.bind();
    } catch (error) {
      await draft.suspend();
      throw error;
    }
    return {
      heldBlocks: draft.heldBlocks,
      restarted: draft.restarted,
      old: draft.old,
      readAt: (offset, into) => draft.readAt(offset, into),
      startAt: (offset) => draft.startAt(offset),
      write: (bytes) => draft.write(bytes),
      suspend: () => draft.suspend(),
      discard: () => draft.discard(),
      async publish() {
        turn.verify();
        const name = await draft.publish();
        await turn.delivered();
        return name;
      },
    };
  }

  [Symbol.dispose](): void {
    this.#turn?.[Symbol.dispose]();
  }
}
