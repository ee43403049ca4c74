/**
 * The one receiver of trees: it compares what it is told with what it has, says what it will do about it, and does that.
 *
 * The same for a client that pulls and a server that is pushed to. `tree_consider.ts` decides, `tree_deeds.ts` does.
 * Small files are stored in groups: written, flushed, made visible, their directories flushed, and then told to be kept.
 * What was only moved is moved, and what goes away goes last (`tree_ending.ts`). A sender is not trusted: names keep the rule, every action is asked
 * about, and only what was wanted is stored.
 */
import { breathe, breatheLong } from "../breathe.ts";
import { AppError, hasCode, toAppError } from "../errors.ts";
import { quoteName } from "../escape.ts";
import type { FileTree } from "../files/tree.ts";
import { BLOCK_BYTES, TREE_ENTRIES_AHEAD_MAX } from "../limits.ts";
import { unpackEntries } from "../wire/entry_batch.ts";
import type { Message, MessageOf } from "../wire/messages/mod.ts";
import { packPlan, type Planned } from "../wire/plan_actions.ts";
import type { Session } from "./session.ts";
import { endsSession, peerError } from "./transfer.ts";
import { Adjustments } from "./tree_adjustments.ts";
import { Arrivals } from "./tree_arrivals.ts";
import { TreeClearance } from "./tree_clearance.ts";
import { TreeConsidering } from "./tree_consider.ts";
import { TreeDeeds } from "./tree_deeds.ts";
import { type DirectoryFacts, TouchedDirectories } from "./tree_directories.ts";
import { TreeEnding } from "./tree_ending.ts";
import { TreeLedger } from "./tree_ledger.ts";
import { Moves } from "./tree_moves.ts";
import { TreeNeed } from "./tree_need.ts";
import { type ReceiveTreeOptions, TreeRights } from "./tree_receive_options.ts";
import { refuseTree } from "./tree_refusal.ts";
import { Removal } from "./tree_removal.ts";
import { sizeOfFiles, type Tally } from "./tree_report.ts";
import { folderOf, isNew, type Place, ToldWalk } from "./tree_told.ts";

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

/** Whether nothing can be held of what is to be created: its directory is new. */
function isFresh({ directory, told }: Place): boolean {
  return isNew(directory) && told.sizeBytes >= BLOCK_BYTES;
}

class TreeReceiving {
  readonly #session: Session;
  readonly #tree: FileTree;
  readonly #top: string;
  readonly #options: ReceiveTreeOptions;
  readonly #rights: TreeRights;
  readonly #ledger: TreeLedger;
  readonly #arrivals: Arrivals;
  readonly #ending: TreeEnding;
  readonly #adjustments: Adjustments;
  readonly #touched: TouchedDirectories;
  readonly #walk: ToldWalk;
  readonly #clearance: TreeClearance;
  readonly #need = new TreeNeed();
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
    const removal = new Removal(tree, top, { ...options, onFailed });
    const isFlushed = !isUnflushed;
    const adjustments = this.#adjustments = new Adjustments({ isFlushed, onFailed });
    const touched = this.#touched = new TouchedDirectories({
      tree,
      top,
      isExact,
      isFlushed,
      may: (directory) => isNew(directory) || this.#mayAdjust(directory.name),
      onFailed,
    });
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
    const { removes } = rules;
    const how = { isExact, isFlushed: !isUnflushed, isDryRun: isDryRun ?? false };
    const moves = new Moves({ ...options, ...how, session, tree, top, walk, removal, touched, ledger, removes });
    this.#ending = new TreeEnding({ session, ledger, moves, removal, removes });
    const { excludes } = options;
    const clearance = this.#clearance = new TreeClearance(session, options);
    const done = { arrivals, removal, adjustments, moves, touched, need: this.#need };
    const deeds = { ...shared, ...done, isDryRun: how.isDryRun, excludes };
    this.#deeds = new TreeDeeds(deeds);
    this.#considering = new TreeConsidering({ ...shared, clearance, deeds: this.#deeds, events: options });
  }

  async run(): Promise<Tally> {
    const { onNeed, keepableBytes } = this.#options;
    if (onNeed) this.#need.keepableBytes = await keepableBytes?.();
    await this.#startWalk();
    await this.#arrivals.start();
    await this.#receiveAll();
    await this.#takeLater(await this.#ending.move(), () => true);
    await this.#ending.remove();
    const { isDryRun } = this.#options;
    const isFree = async (place: Place) => !await folderOf(place).look(place.told.name);
    await this.#takeLater(this.#deeds.later, isDryRun ? ({ name }) => this.#ending.hasRemoved(name) : isFree);
    await this.#adjustments.commit();
    if (!isDryRun) await this.#setDirectories();
    onNeed?.(this.#need.most);
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

  /** From the directory that the tree goes into, which is made if that is possible. */
  async #startWalk(): Promise<void> {
    this.#rights.require("list", "");
    await this.#clearance.announce(this.#tree, this.#top);
    if (await this.#hasTop()) return void this.#walk.start(true);
    this.#rights.require("create", "");
    const top = this.#walk.start(false);
    if (this.#options.isDryRun) return;
    await this.#clearance.whenPassed(async () => {
      const isFound = await this.#hasTop();
      if (!isFound) await this.#tree.makeDirectory(this.#top);
      await this.#walk.openMade(top, isFound ? "somebody else" : "us");
      this.#isTopMade = !isFound;
    });
  }

  async #hasTop(): Promise<boolean> {
    try {
      await this.#tree.folder(this.#top);
      return true;
    } catch (error) {
      if (hasCode(error, "not_found")) return false;
      throw error;
    }
  }

  /** Until all was told, and all that was wanted is kept. */
  async #receiveAll(): Promise<void> {
    while (!this.#isScanned || this.#arrivals.count > 0) {
      let message: Message | undefined = this.#clearance.nextHeld() ?? this.#session.poll();
      if (!message) {
        // What has come may be all that comes before we say that it is kept.
        if (this.#arrivals.count === 0) await this.#arrivals.keep();
        message = await this.#session.receive();
      }
      await this.#take(message);
      await this.#settleDirectories();
      await breathe();
    }
    await this.#arrivals.keep();
    await this.#settleDirectories(); // what was put off comes next, and to some of them
  }

  async #settleDirectories(): Promise<void> {
    if (this.#clearance.isGiven && !this.#options.isDryRun) await this.#touched.settle(this.#arrivals.kept);
  }

  async #take(message: Message): Promise<void> {
    switch (message.type) {
      case "listed":
        return await this.#takeListed(message);
      case "file":
        this.#clearance.require(message.type);
        return await this.#arrivals.takeSmall(message);
      case "offer":
        this.#clearance.require(message.type);
        return await this.#arrivals.takeLarge(message);
      case "gone":
        this.#clearance.require(message.type);
        return this.#ledger.countFailed(this.#arrivals.takeNext(message.number).name, peerError(message));
      case "scanned":
        return this.#takeScanned(message);
      case "impossible":
        return this.#takeImpossible(message);
      case "go":
        return await this.#clearance.give(message);
      case "error":
        throw peerError(message);
      default:
        throw new AppError("order", `"${message.type}" came while a tree was received`);
    }
  }

  #takeImpossible(message: MessageOf<"impossible">): void {
    const error = this.#clearance.take(message);
    if (error) this.#ledger.countFailed(message.name, error);
  }

  #takeScanned({ hidden = 0, mtimeMs, mode = 0 }: MessageOf<"scanned">): void {
    this.#clearance.require("scanned");
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
      const considered = this.#considering.consider(place);
      const action = considered instanceof Promise ? await considered : considered;
      if (action) planned.push({ number: place.number, action, isFresh: action === "create" && isFresh(place) });
    }
    if (this.#arrivals.count > TREE_ENTRIES_AHEAD_MAX) {
      throw new AppError("limit", `The sender told more than ${TREE_ENTRIES_AHEAD_MAX} entries ahead`);
    }
    if (message.code !== undefined) {
      this.#ledger.countFailed(directory.name, peerError({ code: message.code, text: message.text ?? "" }));
    }
    if (message.last) {
      await this.#walk.finish(directory, message.unknown ?? false);
      this.#touched.told(directory, this.#arrivals.lastWanted);
    }
    this.#clearance.forgetNamed();
    this.#sendPlan(planned);
    await this.#session.flushBulk(); // what is wanted can come while we consider what else was told
  }

  #sendPlan(planned: readonly Planned[]): void {
    this.#session.send({ type: "plan", considered: this.#walk.count, ...packPlan(planned) });
  }

  async #setDirectories(): Promise<void> {
    const isTopSet = this.#isTopMade || this.#options.isExact && this.#mayAdjust("");
    await this.#touched.setAll(isTopSet ? this.#topFacts : undefined);
  }

  #mayAdjust(name: string): boolean {
    return !this.#rights.refusal("overwrite", name);
  }

  /** Wants what was put off, and takes it. `isFree`: whether it can have its name now. */
  async #takeLater(places: readonly Place[], isFree: (place: Place) => boolean | Promise<boolean>): Promise<void> {
    if (places.length === 0) return;
    this.#arrivals.restart();
    const planned: Planned[] = [];
    for (const place of places) {
      const { told, name, number } = place;
      try {
        if (!await isFree(place)) {
          throw new AppError("is_directory", `Cannot store ${quoteName(name)}: it is a directory`);
        }
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
    await this.#receiveAll();
  }
}
