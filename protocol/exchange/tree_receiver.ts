/**
 * The one receiver of trees: it compares what it is told with what it has, says what it will do about it, and does that.
 *
 * The same for a client that pulls and a server that is pushed to. `tree_consider.ts` decides, `tree_deeds.ts` does.
 * Small files are stored in groups: written, flushed, made visible, their directories flushed, and then told to be kept.
 * What goes away goes last (`tree_removal.ts`). A sender is not trusted: names keep the rule, every action is asked
 * about, and only what was wanted is stored.
 */
import { breathe, breatheLong } from "../breathe.ts";
import { AppError, toAppError } from "../errors.ts";
import { quoteName } from "../escape.ts";
import type { FileTree } from "../files/tree.ts";
import { TREE_ENTRIES_AHEAD_MAX } from "../limits.ts";
import { unpackEntries } from "../wire/entry_batch.ts";
import type { Message, MessageOf } from "../wire/messages/mod.ts";
import { packActions, type Planned } from "../wire/plan_actions.ts";
import type { Session } from "./session.ts";
import { endsSession, peerError } from "./transfer.ts";
import { Adjustments } from "./tree_adjustments.ts";
import { Arrivals } from "./tree_arrivals.ts";
import { TreeConsidering } from "./tree_consider.ts";
import { TreeDeeds } from "./tree_deeds.ts";
import { type DirectoryFacts, TouchedDirectories } from "./tree_directories.ts";
import { TreeLedger } from "./tree_ledger.ts";
import { type ReceiveTreeOptions, TreeRights } from "./tree_receive_options.ts";
import { refuseTree } from "./tree_refusal.ts";
import { Removal } from "./tree_removal.ts";
import { sizeOfFiles, type Tally } from "./tree_report.ts";
import { ToldWalk } from "./tree_told.ts";

/** Receives a tree below the directory `top` of `tree`, which is made; what it came to. */
export async function receiveTree(
  session: Session,
  tree: FileTree,
  top: string,
  options: ReceiveTreeOptions,
): Promise<Tally> {
  using _breathing = breatheLong();
  using _bulk = session.startBulk({ hasOffers: true });
  const receiving = new TreeReceiving(session, tree, top, options);
  try {
    return await receiving.run();
  } catch (cause) {
    const error = toAppError(cause, "Cannot receive the tree");
    await receiving.leave(error);
    throw error;
  }
}

class TreeReceiving {
  readonly #session: Session;
  readonly #tree: FileTree;
  readonly #top: string;
  readonly #options: ReceiveTreeOptions;
  readonly #rights: TreeRights;
  readonly #ledger: TreeLedger;
  readonly #arrivals: Arrivals;
  readonly #removal: Removal;
  readonly #adjustments: Adjustments;
  readonly #touched: TouchedDirectories;
  readonly #walk: ToldWalk;
  readonly #deeds: TreeDeeds;
  readonly #considering: TreeConsidering;
  #isScanned = false;
  #isTopMade = false;
  #topFacts: DirectoryFacts | undefined;

  constructor(session: Session, tree: FileTree, top: string, options: ReceiveTreeOptions) {
    this.#session = session;
    this.#tree = tree;
    this.#top = top;
    this.#options = options;
    const { ifDifferent, isExact, isUnflushed, isDryRun, removeMax, sizeBytesMax = Infinity, onProgress } = options;
    const rules = { ifDifferent, isExact, removes: removeMax !== undefined };
    const rights = this.#rights = new TreeRights(top, options.refuses);
    const ledger = this.#ledger = new TreeLedger(session, options);
    const onFailed = (name: string, error: AppError) => ledger.fail(name, error);
    const removal = this.#removal = new Removal(tree, top, { ...options, onFailed });
    const isFlushed = !isUnflushed;
    const adjustments = this.#adjustments = new Adjustments({ isFlushed, onFailed });
    const touched = this.#touched = new TouchedDirectories({ tree, top, isExact, isFlushed, onFailed });
    const arrivals = this.#arrivals = new Arrivals(session, {
      tree,
      top,
      isExact,
      isFlushed,
      sizeBytesMax,
      onProgress,
      onStored: (sizeBytes, reportedBytes) => ledger.countStored(sizeBytes, reportedBytes),
      onFailed: (name, error, isTold) => isTold ? ledger.countFailed(name, error) : ledger.fail(name, error),
    });
    const onExtra: TreeDeeds["removeLater"] = (directory, extra) => this.#deeds.removeLater(directory, extra);
    const walk = this.#walk = new ToldWalk({ tree, top, onExtra, onFailed });
    const shared = { walk, rules, rights, ledger };
    const { excludes } = options;
    const deeds = { ...shared, arrivals, removal, adjustments, touched, isDryRun: isDryRun ?? false, excludes };
    this.#deeds = new TreeDeeds(deeds);
    this.#considering = new TreeConsidering({ ...shared, deeds: this.#deeds, events: options });
  }

  async run(): Promise<Tally> {
    this.#walk.start(await this.#makeTop());
    await this.#arrivals.start();
    await this.#receiveAll();
    const isRemoved = await this.#removeExtras();
    if (this.#deeds.later.length > 0) {
      await this.#takeLater(isRemoved);
      await this.#receiveAll();
    }
    await this.#adjustments.commit();
    if (!this.#options.isDryRun) await this.#setDirectories();
    const unkept = await this.#options.settle?.() ?? 0;
    if (unkept > 0) this.#ledger.tally.unkept = unkept;
    this.#session.send({ type: "tallied", ...this.#ledger.tally });
    await this.#session.flush();
    return this.#ledger.tally;
  }

  /** Throws away what was staged, and has the last word. */
  async leave(error: AppError): Promise<void> {
    await this.#arrivals.discard();
    if (endsSession(error) || this.#session.hasEnded) return;
    try {
      await refuseTree(this.#session, error);
    } catch (failure) {
      if (!(failure instanceof AppError)) throw failure;
      this.#session.close(failure);
    }
  }

  /** Makes the directory that the tree goes into; whether it is there then. */
  async #makeTop(): Promise<boolean> {
    this.#rights.require("list", "");
    try {
      await this.#tree.folder(this.#top);
      return true;
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "not_found") throw error;
    }
    this.#rights.require("create", "");
    if (this.#options.isDryRun) return false;
    await this.#tree.makeDirectory(this.#top);
    return this.#isTopMade = true;
  }

  /** Until all was told, and all that was wanted is kept. */
  async #receiveAll(): Promise<void> {
    while (!this.#isScanned || this.#arrivals.count > 0) {
      let message = this.#session.poll();
      if (!message) {
        // What has come may be all that comes before we say that it is kept.
        if (this.#arrivals.count === 0) await this.#arrivals.keep();
        message = await this.#session.receive();
      }
      await this.#take(message);
      await breathe();
    }
    await this.#arrivals.keep();
  }

  async #take(message: Message): Promise<void> {
    switch (message.type) {
      case "listed":
        return await this.#takeListed(message);
      case "file":
        return await this.#arrivals.takeSmall(message);
      case "offer":
        return await this.#arrivals.takeLarge(message);
      case "gone":
        return this.#ledger.countFailed(this.#arrivals.takeNext(message.number).name, peerError(message));
      case "scanned":
        return this.#takeScanned(message);
      case "error":
        throw peerError(message);
      default:
        throw new AppError("order", `"${message.type}" came while a tree was received`);
    }
  }

  #takeScanned({ hidden = 0, mtimeMs, mode = 0 }: MessageOf<"scanned">): void {
    if (!this.#walk.isOver) throw new AppError("order", "A directory was not told of");
    this.#isScanned = true;
    if (mtimeMs !== undefined) this.#topFacts = { mtimeMs, mode: mode & 0o777 };
    this.#ledger.tally.failed += hidden;
    if (hidden > 0) this.#options.onHidden?.(hidden);
    this.#options.onProgress?.({ isCounted: true });
  }

  async #takeListed(message: MessageOf<"listed">): Promise<void> {
    const directory = await this.#walk.current();
    const told = unpackEntries(message);
    this.#options.onProgress?.({ entries: told.length, sizeBytes: sizeOfFiles(told) });
    const planned: Planned[] = [];
    for (const entry of told) {
      const place = this.#walk.next(directory, entry);
      const action = await this.#considering.consider(place);
      if (action) planned.push({ number: place.number, action });
    }
    if (this.#arrivals.count > TREE_ENTRIES_AHEAD_MAX) {
      throw new AppError("limit", `The sender told more than ${TREE_ENTRIES_AHEAD_MAX} entries ahead`);
    }
    if (message.code !== undefined) {
      this.#ledger.countFailed(directory.name, peerError({ code: message.code, text: message.text ?? "" }));
    }
    if (message.last) await this.#walk.finish(directory, message.unknown ?? false);
    this.#sendPlan(planned);
  }

  #sendPlan(planned: readonly Planned[]): void {
    const actions = planned.length > 0 ? { actions: packActions(planned) } : {};
    this.#session.send({ type: "plan", considered: this.#walk.count, ...actions });
  }

  /** Whether nothing stands in the way of what comes later. */
  async #removeExtras(): Promise<boolean> {
    if (this.#options.removeMax === undefined) return true;
    try {
      this.#ledger.tally.removed = await this.#removal.settle(this.#session);
      return true;
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "too_many_removals") throw error;
      this.#ledger.fail("", error);
      return false;
    }
  }

  async #setDirectories(): Promise<void> {
    const may = (name: string) => !this.#rights.refusal("overwrite", name);
    const isTopSet = this.#isTopMade || this.#options.isExact && may("");
    await this.#touched.set(({ isMade, name }) => isMade || may(name), isTopSet ? this.#topFacts : undefined);
  }

  /** Wants what could not have its name before. */
  async #takeLater(isRemoved: boolean): Promise<void> {
    this.#arrivals.restart();
    const planned: Planned[] = [];
    for (const place of this.#deeds.later) {
      const { directory, told, name, number } = place;
      try {
        const isFree = this.#options.isDryRun ? isRemoved : !await directory.folder!.look(told.name);
        if (!isFree) throw new AppError("is_directory", `Cannot store ${quoteName(name)}: it is a directory`);
        const action = told.kind === "file" ? "create" : "link";
        this.#options.onPlanned?.(action, name, told);
        await this.#deeds.do(action, place, undefined);
        planned.push({ number, action });
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        this.#ledger.fail(name, error);
      }
    }
    for (let start = 0; start < planned.length; start += 1_024) {
      this.#sendPlan(planned.slice(start, start + 1_024));
    }
  }
}
