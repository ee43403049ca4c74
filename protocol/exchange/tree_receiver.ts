/**
 * The one receiver of trees: it compares what it is told with what it has, says what it will do about it, and does that.
 *
 * The same for a client that pulls and a server that is pushed to. Small files are stored in groups: written, flushed,
 * made visible, their directories flushed, and then told to be kept. What goes away goes last (`tree_removal.ts`). A
 * sender is not trusted: names keep the rule, every action is asked about, and only what was wanted is stored.
 */
import { breathe, breatheLong } from "../breathe.ts";
import { AppError, toAppError } from "../errors.ts";
import { quoteName } from "../escape.ts";
import type { FileTree, FolderEntry, IfTaken } from "../files/tree.ts";
import { TREE_ENTRIES_AHEAD_MAX } from "../limits.ts";
import { type ToldEntry, unpackEntries } from "../wire/entry_batch.ts";
import type { Message, MessageOf } from "../wire/messages/mod.ts";
import { packActions, type Planned, type PlannedAction } from "../wire/plan_actions.ts";
import { equalBytes } from "./proof.ts";
import type { Session } from "./session.ts";
import { endsSession, peerError, tooLarge } from "./transfer.ts";
import { Adjustments } from "./tree_adjustments.ts";
import { Arrivals } from "./tree_arrivals.ts";
import { type DirectoryFacts, TouchedDirectories } from "./tree_directories.ts";
import { decide, type PlanRules } from "./tree_plan.ts";
import { hasNumbered } from "./tree_own.ts";
import { refuseTree } from "./tree_refusal.ts";
import { Removal } from "./tree_removal.ts";
import { failure, sizeOfFiles, type Tally, type TreeEvents } from "./tree_report.ts";
import { type Directory, type Place, ToldWalk } from "./tree_told.ts";
import { digestOf, joinNames } from "./tree_walk.ts";

/** What a receiver asks about before it does it; the name is whole. */
export type TreeAction = "list" | "create" | "overwrite" | "remove";

export interface ReceiveTreeOptions extends TreeEvents, Omit<PlanRules, "removes"> {
  /** What the sender does not have is removed, if that is at most so much; absent: nothing is. */
  readonly removeMax?: number | undefined;
  /** The sender is asked which of those are to stay. */
  readonly asksSender?: boolean | undefined;
  /** Which names are left as they are, whatever is told of them. */
  readonly excludes?: ((name: string, isDirectory: boolean) => boolean) | undefined;
  readonly isDryRun?: boolean | undefined;
  readonly isUnflushed?: boolean | undefined;
  /** Why something may not be done. */
  readonly refuses?: ((action: TreeAction, name: string) => AppError | undefined) | undefined;
  /** The largest file to take. */
  readonly sizeBytesMax?: number | undefined;
  /** Told of what the sender has and cannot send. */
  readonly onLeftOut?: ((name: string) => void) | undefined;
  /** Told how many entries have names that nobody may send. */
  readonly onHidden?: ((count: number) => void) | undefined;
}

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
  readonly #rules: PlanRules;
  readonly #arrivals: Arrivals;
  readonly #removal: Removal;
  readonly #adjustments: Adjustments;
  readonly #touched: TouchedDirectories;
  #isTopMade = false;
  #topFacts: DirectoryFacts | undefined;
  #isScanned = false;
  readonly #later: Place[] = [];
  /** Tells both sides that something could not be done. */
  readonly #fail = (name: string, error: AppError): void => {
    this.#session.send({ type: "failed", name, ...failure(error) });
    this.#countFailed(name, error);
  };
  readonly #tally = { files: 0, fileBytes: 0, unchanged: 0, skipped: 0, removed: 0, failed: 0 };

  constructor(session: Session, tree: FileTree, top: string, options: ReceiveTreeOptions) {
    this.#session = session;
    this.#tree = tree;
    this.#top = top;
    this.#options = options;
    const { ifDifferent, isExact, isUnflushed, removeMax, sizeBytesMax = Infinity, onProgress } = options;
    this.#rules = { ifDifferent, isExact, removes: removeMax !== undefined };
    this.#removal = new Removal(tree, top, { ...options, onFailed: this.#fail });
    const isFlushed = !isUnflushed;
    this.#adjustments = new Adjustments({ isFlushed, onFailed: this.#fail });
    this.#touched = new TouchedDirectories({ tree, top, isExact, isFlushed, onFailed: this.#fail });
    this.#arrivals = new Arrivals(session, {
      tree,
      top,
      isExact,
      isFlushed,
      sizeBytesMax,
      onProgress,
      onStored: (sizeBytes, reportedBytes) => this.#countStored(sizeBytes, reportedBytes),
      onFailed: (name, error, isTold) => isTold ? this.#countFailed(name, error) : this.#fail(name, error),
    });
  }

  async run(): Promise<Tally> {
    const walk = new ToldWalk(await this.#makeTop(), {
      tree: this.#tree,
      top: this.#top,
      onExtra: (directory, extra) => this.#addExtra(directory, extra),
      onFailed: this.#fail,
    });
    await this.#arrivals.start();
    await this.#receiveAll(walk);
    const isRemoved = await this.#removeExtras();
    if (this.#later.length > 0) {
      await this.#takeLater(walk, isRemoved);
      await this.#receiveAll(walk);
    }
    await this.#adjustments.commit();
    if (!this.#options.isDryRun) await this.#setDirectories();
    this.#session.send({ type: "tallied", ...this.#tally });
    await this.#session.flush();
    return this.#tally;
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
    this.#require("list", this.#top);
    try {
      await this.#tree.folder(this.#top);
      return true;
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "not_found") throw error;
    }
    this.#require("create", this.#top);
    if (this.#options.isDryRun) return false;
    await this.#tree.makeDirectory(this.#top);
    return this.#isTopMade = true;
  }

  /** Until all was told, and all that was wanted is kept. */
  async #receiveAll(walk: ToldWalk): Promise<void> {
    while (!this.#isScanned || this.#arrivals.count > 0) {
      let message = this.#session.poll();
      if (!message) {
        // What has come may be all that comes before we say that it is kept.
        if (this.#arrivals.count === 0) await this.#arrivals.keep();
        message = await this.#session.receive();
      }
      await this.#take(walk, message);
      await breathe();
    }
    await this.#arrivals.keep();
  }

  async #take(walk: ToldWalk, message: Message): Promise<void> {
    switch (message.type) {
      case "listed":
        return await this.#takeListed(walk, message);
      case "file":
        return await this.#arrivals.takeSmall(message);
      case "offer":
        return await this.#arrivals.takeLarge(message);
      case "gone":
        return this.#countFailed(this.#arrivals.takeNext(message.number).name, peerError(message));
      case "scanned":
        if (!walk.isOver) throw new AppError("order", "A directory was not told of");
        this.#isScanned = true;
        this.#tally.failed += message.hidden ?? 0;
        if (message.mtimeMs !== undefined) {
          this.#topFacts = { mtimeMs: message.mtimeMs, mode: (message.mode ?? 0) & 0o777 };
        }
        if (message.hidden) this.#options.onHidden?.(message.hidden);
        this.#options.onProgress?.({ isCounted: true });
        return;
      case "error":
        throw peerError(message);
      default:
        throw new AppError("order", `"${message.type}" came while a tree was received`);
    }
  }

  async #takeListed(walk: ToldWalk, message: MessageOf<"listed">): Promise<void> {
    const directory = await walk.current();
    const told = unpackEntries(message);
    this.#options.onProgress?.({ entries: told.length, sizeBytes: sizeOfFiles(told) });
    const planned: Planned[] = [];
    for (const entry of told) {
      const place = walk.next(directory, entry);
      const action = await this.#consider(walk, place);
      if (action) planned.push({ number: place.number, action });
    }
    if (this.#arrivals.count > TREE_ENTRIES_AHEAD_MAX) {
      throw new AppError("limit", `The sender told more than ${TREE_ENTRIES_AHEAD_MAX} entries ahead`);
    }
    if (message.code !== undefined) {
      this.#countFailed(directory.name, peerError({ code: message.code, text: message.text ?? "" }));
    }
    if (message.last) await walk.finish(directory, message.unknown ?? false);
    this.#sendPlan(walk, planned);
  }

  #sendPlan(walk: ToldWalk, planned: readonly Planned[]): void {
    const actions = planned.length > 0 ? { actions: packActions(planned) } : {};
    this.#session.send({ type: "plan", considered: walk.count, ...actions });
  }

  #addExtra(directory: Directory, { name: base, kind }: FolderEntry): void {
    const name = joinNames(directory.name, base);
    if (!this.#rules.removes || this.#options.excludes?.(name, kind === "directory")) return;
    const refusal = this.#refusal("remove", name);
    if (refusal) return this.#fail(name, refusal);
    this.#touched.add(directory);
    this.#removal.add(name, kind);
  }

  /** Decides what is done about an entry, and does it where nothing has to be sent for it. */
  async #consider(walk: ToldWalk, place: Place): Promise<PlannedAction | undefined> {
    const { directory, told, name } = place;
    const own = await walk.own(place);
    if (directory.isBlocked || this.#options.excludes?.(name, told.kind === "directory")) {
      return this.#pass(walk, place);
    }
    if (told.kind === "other") this.#options.onLeftOut?.(name);
    try {
      const isSame = told.kind === "file" && own?.kind === "file" && own.sizeBytes === told.sizeBytes &&
        (told.digest ? await this.#hasDigest(directory, told) : own.mtimeMs === told.mtimeMs);
      const planned = decide(told, own, name, this.#rules, isSame);
      const isNumbered = planned === "create" && own !== undefined && await hasNumbered(directory.folder!, told);
      const decision = this.#allowed(isNumbered ? undefined : planned, place, own);
      if (decision && decision !== "later") this.#options.onPlanned?.(decision, name, told);
      const doing = this.#do(walk, decision, place, own);
      if (doing) await doing;
      return decision;
    } catch (error) {
      if (!(error instanceof AppError) || endsSession(error)) throw error;
      this.#fail(name, error);
      return this.#pass(walk, place);
    }
  }

  /** Leaves an entry alone, and what is below it. */
  #pass(walk: ToldWalk, place: Place): "pass" | undefined {
    if (place.told.kind !== "directory") return undefined;
    walk.addChild(place, { isBlocked: true });
    return "pass";
  }

  async #hasDigest({ folder }: Directory, { name, digest }: ToldEntry): Promise<boolean> {
    const own = await digestOf(folder!, name);
    return own !== undefined && equalBytes(own, digest!);
  }

  /** Throws what forbids it. Times and bits of a directory or link are set where that may be, and not missed where not. */
  #allowed(
    decision: PlannedAction | AppError | undefined,
    { name, told }: Place,
    own: FolderEntry | undefined,
  ): PlannedAction | undefined {
    if (decision instanceof AppError) throw decision;
    if (decision === "adjust" && told.kind !== "file") {
      return this.#refusal("overwrite", name) ? undefined : decision;
    }
    if (decision === "create" || decision === "replace") this.#verifySize(name, told.sizeBytes);
    if (decision === undefined || decision === "skip" || decision === "pass") return decision;
    if (decision === "later") this.#require("remove", name);
    const isOver = decision === "replace" || decision === "adjust" || own !== undefined && decision !== "create";
    this.#require(decision !== "later" && isOver ? "overwrite" : "create", name);
    return decision;
  }

  #do(
    walk: ToldWalk,
    decision: PlannedAction | undefined,
    place: Place,
    own: FolderEntry | undefined,
  ): void | Promise<void> {
    const { directory, told } = place;
    switch (decision) {
      case "create":
      case "replace":
        return this.#want(place, decision, own);
      case "make":
        return this.#makeDirectory(walk, place, own);
      case "link":
        return this.#makeLink(place, own !== undefined);
      case "adjust":
        if (told.kind === "directory") return this.#touched.add(walk.addChild(place, { isThere: true }));
        if (told.kind === "file") this.#tally.unchanged++;
        return this.#adjust(place, own!);
      case "later":
        this.#later.push(place);
        return this.#addExtra(directory, own!);
      case "skip":
        this.#tally.skipped++;
        return;
      default:
        if (told.kind === "file") this.#tally.unchanged++;
        if (told.kind === "directory") walk.addChild(place, { isThere: own?.kind === "directory" });
    }
  }

  #adjust({ directory, told, name }: Place, own: FolderEntry): void | Promise<void> {
    if (this.#options.isDryRun) return;
    const { mtimeMs, mode: permissions } = told;
    const facts = { permissions, ...(own.mtimeMs === mtimeMs ? {} : { mtimeMs }) };
    return this.#adjustments.add({ folder: directory.folder!, base: told.name, facts, expected: own, name });
  }

  #want(place: Place, action: "create" | "replace", own: FolderEntry | undefined): void {
    const { directory, told, name } = place;
    this.#touched.add(directory);
    if (this.#options.isDryRun) return this.#countStored(told.sizeBytes);
    const replacedBytes = action === "replace" ? own?.sizeBytes : undefined;
    this.#arrivals.want({ ...place, ifTaken: this.#ifTaken(action, name), replacedBytes });
  }

  /** A name that is free may be taken when the file comes: then it is only replaced by who may do that. */
  #ifTaken(action: "create" | "replace", name: string): IfTaken {
    const { ifDifferent } = this.#rules;
    if (action === "replace") return "replace";
    if (ifDifferent === "rename") return "rename";
    return ifDifferent === "replace" && !this.#refusal("overwrite", name) ? "replace" : "error";
  }

  async #makeDirectory(walk: ToldWalk, place: Place, own: FolderEntry | undefined): Promise<void> {
    const { directory, told } = place;
    this.#touched.add(directory);
    if (!this.#options.isDryRun) {
      if (own) await directory.folder!.remove(told.name);
      await directory.folder!.makeDirectory(told.name, this.#rules.isExact ? told.mode : undefined);
      this.#arrivals.dirty(directory.folder!);
    }
    this.#touched.add(walk.addChild(place, { isThere: !this.#options.isDryRun, isMade: true }));
  }

  async #makeLink({ directory, told }: Place, isOver: boolean): Promise<void> {
    this.#touched.add(directory);
    if (this.#options.isDryRun) return;
    const link = { base: told.name, target: told.target!, mtimeMs: told.mtimeMs };
    await directory.folder!.makeLink(link, isOver ? "replace" : "error");
    this.#arrivals.dirty(directory.folder!);
  }

  /** Whether nothing stands in the way of what comes later. */
  async #removeExtras(): Promise<boolean> {
    if (!this.#rules.removes) return true;
    try {
      this.#tally.removed = await this.#removal.settle(this.#session);
      return true;
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "too_many_removals") throw error;
      this.#fail("", error);
      return false;
    }
  }

  async #setDirectories(): Promise<void> {
    const may = (name: string) => !this.#refusal("overwrite", name);
    const isTopSet = this.#isTopMade || this.#rules.isExact && may("");
    await this.#touched.set(({ isMade, name }) => isMade || may(name), isTopSet ? this.#topFacts : undefined);
  }

  /** Wants what could not have its name before. */
  async #takeLater(walk: ToldWalk, isRemoved: boolean): Promise<void> {
    this.#arrivals.restart();
    const planned: Planned[] = [];
    for (const place of this.#later) {
      const { directory, told, name, number } = place;
      try {
        const isFree = this.#options.isDryRun ? isRemoved : !await directory.folder!.look(told.name);
        if (!isFree) throw new AppError("is_directory", `Cannot store ${quoteName(name)}: it is a directory`);
        const action = told.kind === "file" ? "create" : "link";
        this.#options.onPlanned?.(action, name, told);
        await this.#do(walk, action, place, undefined);
        planned.push({ number, action });
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        this.#fail(name, error);
      }
    }
    for (let start = 0; start < planned.length; start += 1_024) {
      this.#sendPlan(walk, planned.slice(start, start + 1_024));
    }
  }

  #countStored(sizeBytes: number, reportedBytes = 0): void {
    this.#tally.files++;
    this.#tally.fileBytes += sizeBytes;
    this.#options.onProgress?.({ files: 1, bytes: sizeBytes - reportedBytes });
  }

  #countFailed(name: string, error: AppError): void {
    this.#tally.failed++;
    this.#options.onFailed?.(name, error);
  }

  #verifySize(name: string, sizeBytes: number): void {
    const { sizeBytesMax = Infinity } = this.#options;
    if (sizeBytes <= sizeBytesMax) return;
    throw tooLarge(name, sizeBytesMax);
  }

  #refusal(action: TreeAction, name: string): AppError | undefined {
    return this.#options.refuses?.(action, joinNames(this.#top, name));
  }

  #require(action: TreeAction, name: string): void {
    const refusal = this.#refusal(action, name);
    if (refusal) throw refusal;
  }
}
