/** A receiver of a tree considers entries: what `tree_plan.ts` would do about one, if that may be done. */
import { AppError } from "../errors.ts";
import type { FolderEntry } from "../files/tree.ts";
import type { ToldEntry } from "../wire/entry_batch.ts";
import type { PlannedAction } from "../wire/plan_actions.ts";
import { equalBytes } from "./proof.ts";
import { endsSession, tooLarge } from "./transfer.ts";
import type { TreeDeeds } from "./tree_deeds.ts";
import { digestOf } from "./tree_digests.ts";
import type { TreeLedger } from "./tree_ledger.ts";
import { hasNumbered } from "./tree_own.ts";
import { decide, type PlanRules } from "./tree_plan.ts";
import type { ReceiveTreeOptions, TreeRights } from "./tree_receive_options.ts";
import type { Directory, Place, ToldWalk } from "./tree_told.ts";

export interface ConsideringOptions {
  readonly walk: ToldWalk;
  readonly rules: PlanRules;
  readonly rights: TreeRights;
  readonly ledger: TreeLedger;
  readonly deeds: TreeDeeds;
  readonly events: Pick<ReceiveTreeOptions, "excludes" | "sizeBytesMax" | "onPlanned" | "onLeftOut">;
}

export class TreeConsidering {
  readonly #options: ConsideringOptions;

  constructor(options: ConsideringOptions) {
    this.#options = options;
  }

  /** Decides what is done about an entry, and does it where nothing has to be sent for it. */
  async consider(place: Place): Promise<PlannedAction | undefined> {
    const { walk, rules, events, deeds, ledger } = this.#options;
    const { directory, told, name } = place;
    const own = await walk.own(place);
    if (directory.isBlocked || events.excludes?.(name, told.kind === "directory")) return this.#pass(place);
    if (told.kind === "other") events.onLeftOut?.(name);
    try {
      const isSame = told.kind === "file" && own?.kind === "file" && own.sizeBytes === told.sizeBytes &&
        (told.digest ? await hasDigest(directory, told) : own.mtimeMs === told.mtimeMs);
      const planned = decide(told, own, name, rules, isSame);
      const isNumbered = planned === "create" && own !== undefined && await hasNumbered(directory.folder!, told);
      const allowed = this.#allowed(isNumbered ? undefined : planned, place, own);
      const isPutOff = allowed === "create" && !own && deeds.mayBeMoved(place);
      const decision = isPutOff ? "later" : allowed;
      if (decision && decision !== "later") events.onPlanned?.(decision, name, told);
      const doing = deeds.do(decision, place, own);
      if (doing) await doing;
      return decision;
    } catch (error) {
      if (!(error instanceof AppError) || endsSession(error)) throw error;
      ledger.fail(name, error);
      return this.#pass(place);
    }
  }

  /** Leaves an entry alone, and what is below it. */
  #pass(place: Place): "pass" | undefined {
    if (place.told.kind !== "directory") return undefined;
    this.#options.walk.addChild(place, { isBlocked: true });
    return "pass";
  }

  /** Throws what forbids it. Times and bits of a directory or link are set where that may be, and not missed where not. */
  #allowed(
    decision: PlannedAction | AppError | undefined,
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

async function hasDigest({ folder }: Directory, { name, digest }: ToldEntry): Promise<boolean> {
  const own = await digestOf(folder!, name);
  return own !== undefined && equalBytes(own, digest!);
}
