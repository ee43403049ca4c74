/** A receiver of a tree considers entries: what `tree_plan.ts` would do about one, if that may be done. */
import { andThen, type Awaitable } from "../awaitable.ts";
import { AppError, type ErrorName } from "../errors.ts";
import { quoteName } from "../escape.ts";
import type { FolderEntry } from "../files/tree.ts";
import { confusesNames } from "../name_rules.ts";
import type { ToldEntry } from "../wire/entry_batch.ts";
import type { PlannedAction } from "../wire/plan_actions.ts";
import { equalBytes } from "./proof.ts";
import { endsSession, tooLarge } from "./transfer.ts";
import type { TreeClearance } from "./tree_clearance.ts";
import type { TreeDeeds } from "./tree_deeds.ts";
import { digestOf } from "./tree_digests.ts";
import type { TreeLedger } from "./tree_ledger.ts";
import { hasNumbered } from "./tree_own.ts";
import { decide, type Decision, type PlanRules } from "./tree_plan.ts";
import type { ReceiveTreeOptions, TreeRights } from "./tree_receive_options.ts";
import type { Directory, Place, ToldWalk } from "./tree_told.ts";

export interface ConsideringOptions {
  readonly walk: ToldWalk;
  readonly rules: PlanRules;
  readonly rights: TreeRights;
  readonly ledger: TreeLedger;
  readonly deeds: TreeDeeds;
  readonly clearance: TreeClearance;
  readonly events: Pick<ReceiveTreeOptions, "excludes" | "isDryRun" | "sizeBytesMax" | "onPlanned" | "onLeftOut">;
}

export class TreeConsidering {
  readonly #options: ConsideringOptions;

  constructor(options: ConsideringOptions) {
    this.#options = options;
  }

  /** Decides what is done about an entry, and does it where nothing has to be sent for it. Hardly ever waits. */
  consider(place: Place): Awaitable<PlannedAction | undefined> {
    return andThen(this.#options.walk.own(place), (own) => this.#considerBeside(place, own));
  }

  #considerBeside(place: Place, own: FolderEntry | undefined): Awaitable<PlannedAction | undefined> {
    const { events, clearance } = this.#options;
    const { directory, told, name } = place;
    if (directory.state === "blocked" || events.excludes?.(name, told.kind === "directory")) return this.#pass(place);
    if (told.kind === "other" && !clearance.isNamed(name)) events.onLeftOut?.(name);
    return andThen(isSameFile(place, own), (isSame) => this.#decideAndDo(place, own, isSame));
  }

  #decideAndDo(
    place: Place,
    own: FolderEntry | undefined,
    isSame: boolean,
  ): Awaitable<PlannedAction | undefined> {
    const { clearance, events } = this.#options;
    return andThen(this.#decide(place, own, isSame), (decision) => {
      const waits = !clearance.isGiven && mustWait(decision, own, events.isDryRun);
      return waits ? this.#doLater(decision, place, own) : this.#do(decision, place, own);
    });
  }

  #do(decision: Decision, place: Place, own: FolderEntry | undefined): Awaitable<PlannedAction | undefined> {
    const { events, deeds } = this.#options;
    try {
      if (decision instanceof AppError) throw decision;
      if (decision && decision !== "later") events.onPlanned?.(decision, place.name, place.told);
      const doing = deeds.do(decision, place, own);
      return doing ? doing.then(() => decision, (error) => this.#fail(place, error)) : decision;
    } catch (error) {
      return this.#fail(place, error);
    }
  }

  /** What is only to be made is made when that may be, and what is to be in it is considered meanwhile. */
  async #doLater(decision: Decision, place: Place, own: FolderEntry | undefined): Promise<PlannedAction | undefined> {
    const { events, clearance } = this.#options;
    const isNew = !own && (decision === "make" || decision === "link");
    if (isNew && !events.isDryRun) return await this.#makeLater(decision, place);
    await clearance.passed();
    return await this.#do(decision, place, own);
  }

  async #makeLater(decision: "make" | "link", place: Place): Promise<PlannedAction> {
    const { events, deeds, clearance, ledger, walk } = this.#options;
    events.onPlanned?.(decision, place.name, place.told);
    const child = decision === "make" ? walk.addChild(place, "awaited") : undefined;
    await clearance.whenPassed(async () => {
      try {
        await (child ? deeds.makeChild(place, child) : deeds.do(decision, place, undefined));
      } catch (error) {
        if (!(error instanceof AppError) || endsSession(error)) throw error;
        ledger.fail(place.name, error);
        if (child) child.state = "blocked";
      }
    });
    return decision;
  }

  #decide(place: Place, own: FolderEntry | undefined, isSame: boolean): Awaitable<Decision> {
    const { rules } = this.#options;
    const { directory, told, name } = place;
    const planned = decide(told, own, name, rules, isSame);
    const isStored = planned === "create" && own !== undefined && hasNumbered(directory.folder!, told);
    return orError(() =>
      andThen(isStored, (isNumbered) => this.#allowedOrLater(isNumbered ? undefined : planned, place, own))
    );
  }

  #allowedOrLater(planned: Decision, place: Place, own: FolderEntry | undefined): Awaitable<Decision> {
    const { clearance, deeds } = this.#options;
    const allowed = this.#allowed(planned, place, own);
    if (own !== undefined || allowed === undefined) return allowed;
    const decided = confusesNames(clearance.names) ? orTaken(allowed, place) : allowed;
    return andThen(
      decided,
      (decision): Decision => decision === "create" && deeds.mayBeMoved(place) ? "later" : decision,
    );
  }

  /** It could not be done: says so, and leaves it alone. */
  #fail(place: Place, error: unknown): "pass" | undefined {
    if (!(error instanceof AppError) || endsSession(error)) throw error;
    this.#options.ledger.fail(place.name, error);
    return this.#pass(place);
  }

  /** Leaves an entry alone, and what is below it. */
  #pass(place: Place): "pass" | undefined {
    if (place.told.kind !== "directory") return undefined;
    this.#options.walk.addChild(place, "blocked");
    return "pass";
  }

  /** Throws what forbids it. Times and bits of a directory or link are set where that may be, and not missed where not. */
  #allowed(
    decision: Decision,
    { name, told }: Place,
    own: FolderEntry | undefined,
  ): PlannedAction | undefined {
    const { rights } = this.#options;
    if (decision instanceof AppError) throw decision;
    if (decision === "adjust" && told.kind !== "file") {
      return rights.refusal("overwrite", name) ? undefined : decision;
    }
    if (decision === "create" || decision === "replace") this.#verifySize(name, told.sizeBytes);
    if (decision === undefined || decision === "skip" || decision === "pass") return decision;
    if (decision === "later") rights.require("remove", name);
    const isOver = decision === "replace" || decision === "adjust" || own !== undefined && decision !== "create";
    rights.require(decision !== "later" && isOver ? "overwrite" : "create", name);
    return decision;
  }

  #verifySize(name: string, sizeBytes: number): void {
    const { sizeBytesMax = Infinity } = this.#options.events;
    if (sizeBytes > sizeBytesMax) throw tooLarge(name, sizeBytesMax);
  }
}

/**
 * Whether what was decided changes something, or is a failure: those are told when the run goes on. Files that are wanted
 * come only then. Throws what would fail for every entry.
 */
function mustWait(decision: Decision, own: FolderEntry | undefined, isDryRun = false): boolean {
  if (decision instanceof AppError && EVERYWHERE.includes(decision.code)) throw decision;
  if (decision === "later") return own !== undefined; // a new file is only put off
  // Of files that do not come nothing else would bound how many are planned before they may be told.
  if (decision === "create" || decision === "replace") return isDryRun;
  return decision !== undefined && decision !== "pass";
}

/** What is refused with these, is refused whatever it is. */
const EVERYWHERE: readonly ErrorName[] = ["read_only", "link_needed"];

/** A name that is new may be another spelling of one that is there, where both are the same. */
async function orTaken(decision: Decision, { directory, told, name }: Place): Promise<Decision> {
  if (!await directory.folder?.look(told.name)) return decision;
  return new AppError("exists", `Cannot store ${quoteName(name)}: another spelling of that name is there`, {
    advice: "Give one of them another name",
  });
}

/** What `work` comes to, also where it throws. */
function orError(work: () => Awaitable<Decision>): Awaitable<Decision> {
  const caught = (error: unknown) => {
    if (error instanceof AppError) return error;
    throw error;
  };
  try {
    const decision = work();
    return decision instanceof Promise ? decision.catch(caught) : decision;
  } catch (error) {
    return caught(error);
  }
}

/** Whether ours is a file with the same content, as far as that is looked at. */
function isSameFile({ directory, told }: Place, own: FolderEntry | undefined): Awaitable<boolean> {
  const isAsLarge = told.kind === "file" && own?.kind === "file" && own.sizeBytes === told.sizeBytes;
  return isAsLarge && (told.digest ? hasDigest(directory, told) : own.mtimeMs === told.mtimeMs);
}

async function hasDigest({ folder }: Directory, { name, digest }: ToldEntry): Promise<boolean> {
  const own = await digestOf(folder!, name);
  return own !== undefined && equalBytes(own, digest!);
}
