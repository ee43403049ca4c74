/** A receiver of a tree does what was decided about an entry: at once, when its content has come, or when others are gone. */
import { hasCode } from "../errors.ts";
import type { FolderEntry, IfTaken } from "../files/tree.ts";
import type { PlannedAction } from "../wire/plan_actions.ts";
import type { Adjustments } from "./tree_adjustments.ts";
import type { Arrivals } from "./tree_arrivals.ts";
import type { TouchedDirectories } from "./tree_directories.ts";
import type { TreeLedger } from "./tree_ledger.ts";
import type { Moves } from "./tree_moves.ts";
import type { TreeNeed } from "./tree_need.ts";
import type { PlanRules } from "./tree_plan.ts";
import type { ReceiveTreeOptions, TreeRights } from "./tree_receive_options.ts";
import type { Removal } from "./tree_removal.ts";
import { type Directory, folderOf, type Place, type ToldWalk } from "./tree_told.ts";
import { joinNames } from "./tree_walk.ts";

export interface TreeDeedsOptions {
  readonly walk: ToldWalk;
  readonly rules: PlanRules;
  readonly rights: TreeRights;
  readonly ledger: TreeLedger;
  readonly arrivals: Arrivals;
  readonly removal: Removal;
  readonly adjustments: Adjustments;
  readonly moves: Moves;
  readonly touched: TouchedDirectories;
  readonly need: TreeNeed;
  readonly isDryRun: boolean;
  readonly excludes: ReceiveTreeOptions["excludes"];
}

export class TreeDeeds {
  readonly #options: TreeDeedsOptions;
  /** What can have its name only when something else is gone. */
  readonly later: Place[] = [];

  constructor(options: TreeDeedsOptions) {
    this.#options = options;
  }

  /** Whether a file that is to be created may be one that goes, and waits until that is known. */
  mayBeMoved(place: Place): boolean {
    return this.#options.moves.mayBe(place);
  }

  do(decision: PlannedAction | undefined, place: Place, own: FolderEntry | undefined): void | Promise<void> {
    const { walk, touched, ledger } = this.#options;
    const { directory, told } = place;
    switch (decision) {
      case "create":
      case "replace":
        return this.#want(place, decision, own);
      case "make":
        return this.#makeDirectory(place, own);
      case "link":
        return this.#makeLink(place, own !== undefined);
      case "adjust":
        if (told.kind === "directory") return touched.add(walk.addChild(place, "there", own));
        if (told.kind === "file") ledger.tally.unchanged++;
        return this.#adjust(place, own!);
      case "later":
        if (!own) return this.#options.moves.putOff(place);
        this.later.push(place);
        return this.removeLater(directory, own);
      case "skip":
        ledger.tally.skipped++;
        return;
      default:
        if (told.kind === "file") ledger.tally.unchanged++;
        if (told.kind === "directory") walk.addChild(place, own?.kind === "directory" ? "there" : "blocked", own);
    }
  }

  /** Notes what is only here: it goes last, if things are removed at all. */
  removeLater(directory: Directory, extra: FolderEntry): void {
    const { rules, rights, excludes, ledger, touched, removal } = this.#options;
    const name = joinNames(directory.name, extra.name);
    if (!rules.removes || excludes?.(name, extra.kind === "directory")) return;
    const refusal = rights.refusal("remove", name);
    if (refusal) return ledger.fail(name, refusal);
    touched.add(directory);
    directory.isToChange = true;
    removal.add(name, extra);
  }

  #adjust({ directory, told, name }: Place, own: FolderEntry): void | Promise<void> {
    const { adjustments, isDryRun } = this.#options;
    if (isDryRun) return;
    const { mtimeMs, mode: permissions } = told;
    const facts = { permissions, ...(own.mtimeMs === mtimeMs ? {} : { mtimeMs }) };
    return adjustments.add({ folder: directory.folder!, base: told.name, facts, expected: own, name });
  }

  #want(place: Place, action: "create" | "replace", own: FolderEntry | undefined): void {
    const { touched, ledger, arrivals, need, isDryRun } = this.#options;
    const { directory, told, name } = place;
    touched.add(directory);
    const replacedBytes = action === "replace" ? own?.sizeBytes : undefined;
    if (isDryRun) {
      need.addFile(told.sizeBytes, replacedBytes);
      return ledger.countStored(told.sizeBytes);
    }
    arrivals.want({ ...place, ifTaken: this.#ifTaken(action, name), replacedBytes });
  }

  /** A name that is free may be taken when the file comes: then it is only replaced by who may do that. */
  #ifTaken(action: "create" | "replace", name: string): IfTaken {
    const { rules: { ifDifferent }, rights } = this.#options;
    if (action === "replace") return "replace";
    if (ifDifferent === "rename") return "rename";
    return ifDifferent === "replace" && !rights.refusal("overwrite", name) ? "replace" : "error";
  }

  async #makeDirectory(place: Place, own: FolderEntry | undefined): Promise<void> {
    const { walk, touched, need, isDryRun } = this.#options;
    touched.add(place.directory);
    if (!own) need.addName();
    if (isDryRun) return touched.add(walk.addChild(place, "awaited"));
    if (own) await folderOf(place).remove(place.told.name);
    const isOurs = await this.#make(place);
    touched.add(walk.addChild(place, isOurs ? "made" : "there"));
  }

  /** Makes the directory `child`, which was awaited. */
  async makeChild(place: Place, child: Directory): Promise<void> {
    const { walk, touched } = this.#options;
    touched.add(place.directory);
    await walk.openMade(child, await this.#make(place) ? "us" : "somebody else");
    touched.add(child);
  }

  /** Makes a directory; whether that was us. When somebody else made it in that moment, that is as good. */
  async #make(place: Place): Promise<boolean> {
    const { rules, arrivals } = this.#options;
    const { name, mode } = place.told;
    const folder = folderOf(place);
    try {
      await folder.makeDirectory(name, rules.isExact ? mode : undefined);
    } catch (error) {
      if (hasCode(error, "exists") && (await folder.look(name))?.kind === "directory") return false;
      throw error;
    }
    arrivals.dirty(folder);
    return true;
  }

  async #makeLink(place: Place, isOver: boolean): Promise<void> {
    const { touched, arrivals, need, isDryRun } = this.#options;
    const { directory, told } = place;
    touched.add(directory);
    if (!isOver) need.addName();
    if (isDryRun) return;
    const { name: base, mtimeMs } = told;
    const target = told.target!;
    const folder = folderOf(place);
    try {
      await folder.makeLink({ base, target, mtimeMs }, isOver ? "replace" : "error");
    } catch (error) {
      if (hasCode(error, "exists") && (await folder.look(base))?.target === target) return; // somebody else made the same one
      throw error;
    }
    arrivals.dirty(folder);
  }
}
