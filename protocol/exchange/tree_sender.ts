/**
 * The one sender of trees: it tells what it has, hears what the receiver makes of it, and sends what is wanted.
 *
 * The same for a client that pushes and a server that is pulled from. What is wanted goes by `tree_departures.ts`. How
 * much it tells and sends ahead is bounded, so memory does not depend on the tree; and it reads while it writes, so that
 * two who write never wait for one another.
 */
import { breathe, breatheLong } from "../breathe.ts";
import { AppError, toAppError } from "../errors.ts";
import type { FileTree } from "../files/tree.ts";
import { TREE_ENTRIES_AHEAD_MAX } from "../limits.ts";
import { packEntries } from "../wire/entry_batch.ts";
import type { Message, MessageOf } from "../wire/messages/mod.ts";
import { packIndices, type Planned, unpackPlan } from "../wire/plan_actions.ts";
import type { Session } from "./session.ts";
import { endsSession, errorMessage, peerError } from "./transfer.ts";
import { Departures } from "./tree_departures.ts";
import { Later } from "./tree_later.ts";
import { failure, sizeOfFiles, type Tally, type TreeEvents } from "./tree_report.ts";
import { type Told, type WalkBatch, type WalkOptions, walkTree } from "./tree_walk.ts";

export interface SendTreeOptions extends WalkOptions, TreeEvents {
  /** What is wanted is not sent. */
  readonly isDryRun?: boolean | undefined;
  /** Which names that are only at the receiver's are to stay. */
  readonly spares?: ((name: string) => boolean) | undefined;
}

/** What goes out together. */
const FLUSH_BYTES = 131_072;

/**
 * Sends what is below the directory `top` of `tree`; what the receiver said that it came to. Throws what either side
 * ended it for; single files that fail are told to `options`.
 */
export async function sendTree(
  session: Session,
  tree: FileTree,
  top: string,
  options: SendTreeOptions,
): Promise<Tally> {
  const sending = new TreeSending(session, tree, top, options);
  using _breathing = breatheLong();
  using _bulk = session.startBulk({ takes: (message) => sending.take(message) });
  try {
    return await sending.run();
  } catch (cause) {
    const error = toAppError(cause, "Cannot send the tree");
    await sending.sayLastWord(error);
    throw error;
  }
}

class TreeSending {
  readonly #session: Session;
  readonly #departures: Departures;
  readonly #options: SendTreeOptions;
  readonly #tree: FileTree;
  readonly #top: string;
  readonly #batches: AsyncGenerator<WalkBatch>;
  /** Told, and not yet considered; the first of them has the number `#considered`. */
  #told: Told[] = [];
  #considered = 0;
  #count = 0;
  #isScanned = false;
  #hidden = 0;
  readonly #later: Later;
  #taken = 0;
  #tally: Tally | undefined;

  constructor(session: Session, tree: FileTree, top: string, options: SendTreeOptions) {
    this.#session = session;
    this.#departures = new Departures(session, { ...options, top });
    this.#later = new Later(session, { ...options, top });
    this.#options = options;
    this.#tree = tree;
    this.#top = top;
    this.#batches = walkTree(tree, top, {
      ...options,
      onLeftOut: (name, error) => {
        if (error.code === "bad_name") this.#hidden++;
        options.onLeftOut?.(name, error);
      },
    });
  }

  async run(): Promise<Tally> {
    await this.#departures.start();
    for (;;) {
      this.#heed(this.#session.poll());
      if (this.#tally) return this.#tally;
      const { count, maySend, isEnough } = this.#departures;
      if (this.#later.isAsked) await this.#later.answer(() => this.#heed(this.#session.poll()));
      else if (count > 0 && maySend && (isEnough || !this.#mayTell)) {
        await this.#departures.sendNext();
      } else if (this.#mayTell) await this.#tellNext();
      else await this.#wait();
      if (this.#session.queuedBytes >= FLUSH_BYTES) await this.#session.flushBulk();
      await breathe();
    }
  }

  /** Hears what the receiver says about entries, at any time; whether it was that. */
  take(message: Message): boolean | "last" {
    switch (message.type) {
      case "plan":
        this.#takePlan(message);
        break;
      case "kept":
        this.#departures.takeKept(message.number);
        break;
      case "failed":
        this.#options.onFailed?.(message.name, peerError(message));
        break;
      case "extra":
        this.#answerExtra(message);
        break;
      case "stored":
      case "error":
        if (!this.#departures.takeAnswer(message)) return false;
        break;
      case "probe":
        this.#later.take(message.numbers);
        break;
      case "tallied": {
        const { type: _, ...tally } = message;
        this.#tally = tally;
        this.#taken++;
        return "last";
      }
      default:
        return false;
    }
    this.#taken++;
    return true;
  }

  /** Ends the exchange in order: the receiver has the last word, unless it has said that already. */
  async sayLastWord(error: AppError): Promise<void> {
    if (endsSession(error) || this.#session.hasEnded || this.#tally) return;
    try {
      this.#session.send(error.by === "peer" ? { type: "cancel" } : errorMessage(error));
      if (error.by === "peer") return await this.#session.flushBulk();
      const isOver = () => this.#tally !== undefined;
      while (!isOver() && (await this.#session.receiveUnless(isOver))?.type !== "error");
    } catch (failure) {
      if (!(failure instanceof AppError)) throw failure;
      this.#session.close(failure);
    }
  }

  get #mayTell(): boolean {
    const ahead = this.#count - this.#considered + this.#departures.aheadCount;
    return !this.#isScanned && ahead < TREE_ENTRIES_AHEAD_MAX - 1_024;
  }

  /** Ends the telling, with what the directory itself is. */
  async #tellTop(): Promise<void> {
    const { mtimeMs, mode } = await this.#tree.stat(this.#top);
    this.#isScanned = true;
    this.#session.send({ type: "scanned", mtimeMs, mode, ...(this.#hidden > 0 ? { hidden: this.#hidden } : {}) });
    this.#options.onProgress?.({ isCounted: true });
  }

  async #tellNext(): Promise<void> {
    const { done, value: batch } = await this.#batches.next();
    if (done) return await this.#tellTop();
    for (const told of batch.told) this.#told.push(told);
    this.#count += batch.told.length;
    this.#options.onProgress?.({ entries: batch.told.length, sizeBytes: sizeOfFiles(batch.entries) });
    const { isLast: last, isUnknown: unknown, error } = batch;
    this.#session.send({
      type: "listed",
      ...packEntries(batch.entries),
      last,
      unknown,
      ...(error ? failure(error) : {}),
    });
  }

  #takePlan({ considered, ...columns }: MessageOf<"plan">): void {
    if (considered < this.#considered || considered > this.#count) {
      throw new AppError("order", `The receiver has considered ${considered} entries of ${this.#count}`);
    }
    for (const planned of unpackPlan(columns)) {
      const { number, action } = planned;
      const told = this.#later.get(number) ?? (action === "move" ? undefined : this.#told[number - this.#considered]);
      if (!told) throw new AppError("order", `The receiver planned something for entry ${number}`);
      this.#takeAction(planned, told);
    }
    this.#told = this.#told.slice(considered - this.#considered);
    this.#considered = considered;
  }

  #takeAction({ number, action, from }: Planned, told: Told): void {
    const { name, entry, directory } = told;
    if (action === "later") return this.#later.add(number, told);
    this.#later.delete(number);
    this.#options.onPlanned?.(action, name, entry, from);
    if (action === "pass" && directory) directory.isPassed = true;
    if (action !== "create" && action !== "replace" || this.#options.isDryRun) return;
    if (entry.kind !== "file") throw new AppError("order", `The receiver wants entry ${number}, which is no file`);
    this.#departures.want({ number, told });
  }

  #answerExtra({ names, asks }: MessageOf<"extra">): void {
    const { spares, onRemoved } = this.#options;
    if (!asks) return onRemoved?.(names);
    const spared = names.flatMap((name, index) => spares?.(name) ? [index] : []);
    this.#session.send({ type: "spare", indices: packIndices(spared) });
  }

  /** Until the receiver has said something. */
  async #wait(): Promise<void> {
    const before = this.#taken;
    this.#heed(await this.#session.receiveUnless(() => this.#taken !== before));
  }

  /** What is not taken aside ends it. */
  #heed(message: Message | undefined): void {
    if (!message && this.#session.hasEnded && !this.#tally) {
      throw new AppError("lost", "The receiver closed the connection");
    }
    if (message?.type === "error") throw peerError(message);
    if (message) throw new AppError("order", `"${message.type}" came while a tree was sent`);
  }
}
