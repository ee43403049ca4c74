/**
 * The receiver's part in a pre-flight: what it announces, and the one place where it waits. Until the sender has looked
 * at everything it may compare and say which files it wants; whatever changes something asks `passed` before, or is put
 * off by `whenPassed`. What the sender tells meanwhile is held, and bounded.
 */
import { breathe } from "../breathe.ts";
import { AppError } from "../errors.ts";
import type { FileTree } from "../files/tree.ts";
import { TREE_ENTRIES_AHEAD_MAX, TREE_HELD_BYTES_MAX } from "../limits.ts";
import { ANY_NAMES, type NameRules } from "../name_rules.ts";
import type { MessageOf } from "../wire/messages/mod.ts";
import type { Session } from "./session.ts";
import { peerError } from "./transfer.ts";
import { announcementOf, Findings } from "./tree_preflight.ts";
import type { ReceiveTreeOptions } from "./tree_receive_options.ts";

type Options = Pick<ReceiveTreeOptions, "preflight" | "excludes" | "onFailed" | "sizeBytesMax">;

/** What a message is counted as, beside its columns. */
const MESSAGE_BYTES = 64;

/** So much waits to be done, and nothing is considered that would come to more. */
const DEFERRED_MAX = 4_096;

/** So many names are remembered of those that were told to be impossible just now. */
const NAMED_MAX = 4_096;

export class TreeClearance {
  readonly #session: Session;
  readonly #options: Options;
  readonly #findings = new Findings();
  readonly #named = new Set<string>();
  /** What is done, in its order, as soon as things may be changed. */
  readonly #deferred: (() => Promise<void>)[] = [];
  readonly #held: MessageOf<"listed">[] = [];
  #heldAt = 0;
  #heldEntries = 0;
  #heldBytes = 0;
  #isGiven: boolean;
  #names = ANY_NAMES;

  constructor(session: Session, options: Options) {
    this.#session = session;
    this.#options = options;
    this.#isGiven = options.preflight?.ifImpossible !== "stop";
  }

  /** Whether things may be changed. */
  get isGiven(): boolean {
    return this.#isGiven;
  }

  /** Which names there can be. */
  get names(): NameRules {
    return this.#names;
  }

  /** Says what can be stored below the directory `top` of `tree`, if there is a pre-flight; the room only to who decides. */
  async announce(tree: FileTree, top: string): Promise<void> {
    const { preflight, sizeBytesMax: fileBytesMax } = this.#options;
    if (!preflight) return;
    const names = this.#names = await tree.nameRules?.(top) ?? ANY_NAMES;
    const findRoom = async () => await tree.room?.(top) ?? {};
    const isDecidedHere = preflight.verifySum !== undefined;
    const room = isDecidedHere ? {} : await findRoom();
    this.#session.send(announcementOf({ names, fileBytesMax, room }));
    await this.#session.flush();
    // Who decides finds it out while the sender looks at what it has: to load that takes a fresh process 17 ms.
    preflight.onDestination?.({ names, fileBytesMax, room: isDecidedHere ? await findRoom() : room });
    if (this.#isGiven) preflight.onCleared?.();
  }

  /** Waits until things may be changed. Throws what keeps that from coming. */
  async passed(): Promise<void> {
    while (!this.#isGiven) {
      const message = await this.#session.receive();
      if (message.type === "listed") this.#hold(message);
      else if (message.type === "impossible") this.take(message);
      else if (message.type === "go") await this.give(message);
      else if (message.type === "error") throw peerError(message);
      else throw new AppError("order", `"${message.type}" came before the sender said that it may`);
      await breathe();
    }
  }

  /** Does `work` when things may be changed. Waits for that only if that is now, or much is waiting already. */
  async whenPassed(work: () => Promise<void>): Promise<void> {
    if (!this.#isGiven && this.#deferred.length < DEFERRED_MAX) return void this.#deferred.push(work);
    await this.passed();
    await work();
  }

  /** Throws `order` for what may only come when things may be changed. */
  require(type: string): void {
    if (!this.#isGiven) throw new AppError("order", `"${type}" came before the sender said that it may`);
  }

  /** What came while `passed` waited, and was not dealt with. */
  nextHeld(): MessageOf<"listed"> | undefined {
    if (this.#heldAt < this.#held.length) return this.#held[this.#heldAt++];
    this.#held.length = this.#heldAt = 0;
  }

  /**
   * The sender has looked at everything: does what waited for that. Throws what was found, unless it is left out here,
   * and what does not fit.
   */
  async give({ entries, sizeBytes, more = 0 }: MessageOf<"go">): Promise<void> {
    if (this.#isGiven) throw new AppError("order", "The sender said twice that it may");
    const { preflight, onFailed } = this.#options;
    this.#findings.addUnnamed(more);
    this.#findings.verifyNone(onFailed);
    preflight?.verifySum?.({ entries, sizeBytes });
    this.#isGiven = true;
    preflight?.onCleared?.();
    for (const work of this.#deferred.splice(0)) {
      await work();
      await breathe();
    }
  }

  /** Notes an entry that cannot be sent; its error if it has failed now and is not left out here. */
  take({ name, code, text, beside }: MessageOf<"impossible">): AppError | undefined {
    if (this.#isLeftOut(name) || beside !== undefined && this.#isLeftOut(beside)) return;
    const error = peerError({ code, text });
    if (!this.#isGiven) return this.#findings.add({ name, error }), undefined;
    if (this.#named.size < NAMED_MAX) this.#named.add(name);
    return error;
  }

  /** Whether that entry was told to be impossible; then nothing else needs to be said of it. */
  isNamed(name: string): boolean {
    return this.#named.has(name);
  }

  /** The entries were dealt with that followed upon what was told to be impossible. */
  forgetNamed(): void {
    if (this.#named.size > 0) this.#named.clear();
  }

  #hold(message: MessageOf<"listed">): void {
    const { names, facts, targets = "", digests } = message;
    this.#heldEntries += facts.length / 16;
    this.#heldBytes += MESSAGE_BYTES + names.length + facts.length + targets.length + (digests?.length ?? 0);
    if (this.#heldEntries > TREE_ENTRIES_AHEAD_MAX || this.#heldBytes > 2 * TREE_HELD_BYTES_MAX) {
      throw new AppError("limit", "The sender told too much ahead");
    }
    this.#held.push(message);
  }

  /** With any directory that it is in; nobody knows whether it is one itself. */
  #isLeftOut(name: string): boolean {
    const { excludes } = this.#options;
    if (!excludes) return false;
    try {
      if (excludes(name, false) || excludes(name, true)) return true;
      for (let at = name.lastIndexOf("/"); at > 0; at = name.lastIndexOf("/", at - 1)) {
        if (excludes(name.slice(0, at), true)) return true;
      }
    } catch (error) {
      if (!(error instanceof AppError)) throw error; // no name that patterns could be about
    }
    return false;
  }
}
