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
import { TREE_ENTRIES_AHEAD_MAX, TREE_HELD_BYTES_MAX } from "../limits.ts";
import { packEntries } from "../wire/entry_batch.ts";
import type { Message, MessageOf } from "../wire/messages/mod.ts";
import { packIndices, type Planned, unpackPlan } from "../wire/plan_actions.ts";
import type { Session } from "./session.ts";
import { endsSession, errorMessage, peerError } from "./transfer.ts";
import { Departures } from "./tree_departures.ts";
import { Later } from "./tree_later.ts";
import { type Destination, destinationOf, type Finding, type Preflight } from "./tree_preflight.ts";
import { failure, sizeOfFiles, type Tally, type TreeEvents } from "./tree_report.ts";
import { TreeScan } from "./tree_scan.ts";
import { Unconsidered } from "./tree_unconsidered.ts";
import type { Told, WalkOptions } from "./tree_walk.ts";

export interface SendTreeOptions extends WalkOptions, TreeEvents {
  /** What is wanted is not sent. */
  readonly isDryRun?: boolean | undefined;
  /** What the receiver cannot have is found before it changes anything, or left out. */
  readonly preflight?: Preflight | undefined;
  /** Whether this side decides if the run goes on; otherwise the receiver does. */
  readonly isDecidedHere?: boolean | undefined;
  /** Told at the end of a dry run that measures how much room it takes to do it. */
  readonly onNeed?: ((need: { readonly bytes: number; readonly files: number }) => void) | undefined;
  /** How many entries wait to be told during a pre-flight. @default 100,000 */
  readonly queueMax?: number | undefined;
  /** How many bytes of entries are told ahead during it. @default `TREE_HELD_BYTES_MAX` */
  readonly heldBytesMax?: number | undefined;
  /** Which names that are only at the receiver's are to stay. */
  readonly spares?: ((name: string) => boolean) | undefined;
}

/** What goes out together: content, which is packed the better the more of it there is; and what is only told. */
const FLUSH_BYTES = 131_072;
const FLUSH_TOLD_BYTES = 32_768;

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
  readonly #tree: FileTree;
  readonly #top: string;
  readonly #departures: Departures;
  readonly #options: SendTreeOptions;
  readonly #unconsidered = new Unconsidered();
  #isScanned = false;
  #hidden = 0;
  readonly #later: Later;
  #destination: Destination | undefined;
  /** The receiver may not change anything yet. */
  #isPassing: boolean;
  #taken = 0;
  #tally: Tally | undefined;

  constructor(session: Session, tree: FileTree, top: string, options: SendTreeOptions) {
    this.#session = session;
    this.#tree = tree;
    this.#top = top;
    this.#departures = new Departures(session, { ...options, top });
    this.#later = new Later(session, { ...options, top });
    this.#options = options;
    this.#isPassing = options.preflight?.ifImpossible === "stop";
  }

  async run(): Promise<Tally> {
    await this.#departures.start();
    while (this.#options.preflight && !this.#destination) await this.#wait();
    const scan = this.#scan();
    for (;;) {
      // What the receiver makes of it can wait until everything was looked at, which keeps the files waiting; an end cannot.
      const isHurried = this.#isPassing && !scan.isSeen && !this.#session.isHolding && this.#mayTell(scan);
      if (!isHurried) this.#heed(this.#session.poll());
      if (this.#tally) return this.#tally;
      if (this.#isPassing && scan.isSeen) this.#endPass(scan);
      await this.#step(scan);
      if (this.#session.queuedBytes >= (this.#isPassing ? FLUSH_TOLD_BYTES : FLUSH_BYTES)) {
        await this.#session.flushBulk();
      }
      await breathe();
    }
  }

  /** Does what is most urgent: answers, sends what is wanted, tells more, or waits for what the receiver makes of that. */
  async #step(scan: TreeScan): Promise<void> {
    if (this.#later.isAsked) return await this.#later.answer(() => this.#heed(this.#session.poll()));
    const { count, maySend, isEnough } = this.#departures;
    const mayTell = this.#mayTell(scan);
    const isSendingFirst = !this.#isPassing && count > 0 && maySend && (isEnough || !mayTell);
    if (isSendingFirst) await this.#departures.sendNext();
    else if (mayTell) await this.#tellNext(scan);
    else if (this.#isPassing) await this.#lookAhead(scan);
    else await this.#wait();
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
      case "room":
        this.#takeRoom(message);
        break;
      case "need":
        this.#options.onNeed?.(message);
        break;
      case "tallied": {
        if (this.#isPassing) throw new AppError("order", "The receiver was done before it could begin");
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

  #scan(): TreeScan {
    const { preflight, onFailed, onLeftOut } = this.#options;
    if (preflight && !this.#isPassing) preflight.onCleared?.();
    return new TreeScan(this.#tree, this.#top, {
      ...this.#options,
      names: this.#destination?.names,
      isPass: this.#isPassing,
      onLeftOut: (name, error) => {
        if (error.code === "bad_name") this.#hidden++;
        onLeftOut?.(name, error);
      },
      onImpossible: (finding) => {
        this.#sayImpossible(finding);
        onFailed?.(finding.name, finding.error);
      },
    });
  }

  /** Ends the telling, with what the directory itself is. */
  async #tellTop(): Promise<void> {
    const { mtimeMs, mode } = await this.#tree.stat(this.#top);
    this.#isScanned = true;
    this.#session.send({ type: "scanned", mtimeMs, mode, ...(this.#hidden > 0 ? { hidden: this.#hidden } : {}) });
    this.#options.onProgress?.({ isCounted: true });
  }

  /** The receiver compares meanwhile: it has all that may be told. */
  async #lookAhead(scan: TreeScan): Promise<void> {
    if (this.#session.queuedBytes > 0) await this.#session.flushBulk();
    await scan.lookAhead();
  }

  #mayTell(scan: TreeScan): boolean {
    const { told, considered, bytes } = this.#unconsidered;
    const ahead = told - considered + this.#departures.aheadCount;
    if (this.#isScanned || ahead >= TREE_ENTRIES_AHEAD_MAX - 1_024) return false;
    if (!this.#isPassing) return true;
    return !scan.isOver && bytes < (this.#options.heldBytesMax ?? TREE_HELD_BYTES_MAX);
  }

  /** Everything was looked at: lets the receiver change things, unless something was found. */
  #endPass({ findings, sum }: TreeScan): void {
    const { preflight, isDecidedHere, onFailed } = this.#options;
    if (isDecidedHere) {
      findings.verifyNone(onFailed);
      preflight!.verifySum?.(sum);
    } else for (const finding of findings.kept) this.#sayImpossible(finding);
    const { entries, sizeBytes } = sum;
    this.#session.send({ type: "go", entries, sizeBytes, ...(findings.more > 0 ? { more: findings.more } : {}) });
    this.#isPassing = false;
    preflight!.onCleared?.();
  }

  #sayImpossible({ name, error, beside }: Finding): void {
    // What is no text cannot be sent, and is only to be shown.
    this.#session.send({ type: "impossible", name: name.toWellFormed(), ...failure(error), beside });
  }

  #takeRoom(message: MessageOf<"room">): void {
    const { preflight } = this.#options;
    if (!preflight || this.#destination) {
      throw new AppError("order", "The receiver announced room that nobody asked for");
    }
    this.#destination = destinationOf(message);
    preflight.onDestination?.(this.#destination);
  }

  async #tellNext(scan: TreeScan): Promise<void> {
    const batch = await scan.next();
    if (!batch && this.#isPassing) return;
    if (!batch) return await this.#tellTop();
    this.#unconsidered.add(batch);
    const { entries, isLast: last, isUnknown: unknown, error } = batch;
    this.#options.onProgress?.({ entries: entries.length, sizeBytes: sizeOfFiles(entries) });
    this.#session.send({
      type: "listed",
      ...packEntries(entries),
      last,
      unknown,
      ...(error ? failure(error) : {}),
    });
  }

  #takePlan({ considered, ...columns }: MessageOf<"plan">): void {
    const unconsidered = this.#unconsidered;
    if (considered < unconsidered.considered || considered > unconsidered.told) {
      throw new AppError("order", `The receiver has considered ${considered} entries of ${unconsidered.told}`);
    }
    let before = -1;
    for (const planned of unpackPlan(columns)) {
      const { number, action } = planned;
      const isNew = action !== "move" && number < considered;
      const told = this.#later.get(number) ?? (isNew ? unconsidered.at(number) : undefined);
      // Each is planned once: what is wanted time and again would have to be kept in mind.
      if (!told || number <= before) throw new AppError("order", `The receiver planned something for entry ${number}`);
      this.#takeAction(planned, told);
      before = number;
    }
    unconsidered.consider(considered);
  }

  #takeAction({ number, action, from, isFresh = false }: Planned, told: Told): void {
    const { name, entry, directory } = told;
    if (action === "later") return this.#later.add(number, told);
    this.#later.delete(number);
    this.#options.onPlanned?.(action, name, entry, from);
    if (action === "pass" && directory) directory.isPassed = true;
    if (action !== "create" && action !== "replace" || this.#options.isDryRun) return;
    if (entry.kind !== "file") throw new AppError("order", `The receiver wants entry ${number}, which is no file`);
    this.#departures.want({ number, told, isFresh });
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
