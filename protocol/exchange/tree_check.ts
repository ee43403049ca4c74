/**
 * A sender checks what it finds against what the receiver announced: names that cannot be there, and names in one
 * directory that would be the same there. Holds the names of one directory, and those only where names can be the same.
 */
import { AppError } from "../errors.ts";
import { quoteName } from "../escape.ts";
import type { FolderEntry } from "../files/tree.ts";
import { confusesNames, foldName, foreignFault, type NameRules } from "../name_rules.ts";
import { joinNames, type Refused, type TreeDirectory } from "./tree_walk.ts";

/** For one walk, whose entries it is asked about in their order. */
export class TreeCheck {
  readonly #rules: NameRules;
  readonly #confuses: boolean;
  #directory: TreeDirectory | undefined;
  /** The names of that directory, by what they are the same by. */
  #names = new Map<string, string>();

  constructor(rules: NameRules) {
    this.#rules = rules;
    this.#confuses = confusesNames(rules);
  }

  /** Why the receiver cannot have the entry, whose whole name is `name`. */
  refusal(directory: TreeDirectory, name: string, { name: base }: FolderEntry): Refused | undefined {
    const fault = foreignFault(name, base, this.#rules);
    if (fault) {
      const error = new AppError("bad_name", `Cannot send ${quoteName(name)}: ${fault} there`, { advice: RENAME });
      return { error };
    }
    return this.#confuses ? this.#collision(directory, name, base) : undefined;
  }

  #collision(directory: TreeDirectory, name: string, base: string): Refused | undefined {
    if (this.#directory !== directory) {
      this.#directory = directory;
      this.#names = new Map();
    }
    const folded = foldName(base, this.#rules);
    const first = this.#names.get(folded);
    if (first === undefined) {
      this.#names.set(folded, base);
      return;
    }
    const beside = joinNames(directory.name, first);
    const text = `Cannot send ${quoteName(name)}: it would be the same file there as ${quoteName(beside)}`;
    return { error: new AppError("bad_name", `${text}, since case is ignored`, { advice: RENAME }), beside };
  }
}

const RENAME = "Give it another name here, or leave it out";
