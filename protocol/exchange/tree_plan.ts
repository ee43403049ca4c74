/**
 * What a receiver does about one entry that it is told, given what it has under that name. Pure: it decides, and others
 * do it.
 */
import { AppError } from "../errors.ts";
import { quoteName } from "../escape.ts";
import type { FolderEntry } from "../files/tree.ts";
import type { ToldEntry } from "../wire/entry_batch.ts";
import type { IfDifferent } from "../wire/messages/sync.ts";
import type { PlannedAction } from "../wire/plan_actions.ts";

export interface PlanRules {
  readonly ifDifferent: IfDifferent;
  /** Permission bits, and times of directories and links, count too. */
  readonly isExact: boolean;
  /** What the sender does not have is removed, so directories make way for files. */
  readonly removes: boolean;
}

/** An action; the error for what cannot be done; or `undefined` where all is as it should be. */
export type Decision = PlannedAction | AppError | undefined;

/** `hasSameContent`: of two files of the same size. */
export function decide(
  told: ToldEntry,
  own: FolderEntry | undefined,
  name: string,
  rules: PlanRules,
  hasSameContent: boolean,
): Decision {
  if (told.kind === "other") return undefined;
  if (own?.kind === "other") {
    return new AppError("not_a_file", `Cannot store ${quoteName(name)}: it is neither a file nor a directory`);
  }
  switch (told.kind) {
    case "file":
      return decideFile(told, own, name, rules, hasSameContent);
    case "directory":
      return decideDirectory(told, own, name, rules);
    case "link":
      return decideLink(told, own, name, rules);
  }
}

function decideFile(
  told: ToldEntry,
  own: FolderEntry | undefined,
  name: string,
  rules: PlanRules,
  hasSameContent: boolean,
): Decision {
  if (!own) return "create";
  if (own.kind === "directory") return inPlaceOfDirectory(name, rules);
  if (own.kind === "file" && own.sizeBytes === told.sizeBytes && hasSameContent) {
    const differs = own.mtimeMs !== told.mtimeMs || own.mode !== told.mode;
    return rules.isExact && differs ? "adjust" : undefined;
  }
  return replacing(name, rules, "replace");
}

function decideDirectory(told: ToldEntry, own: FolderEntry | undefined, name: string, rules: PlanRules): Decision {
  if (!own) return "make";
  if (own.kind !== "directory") return rules.isExact ? "make" : taken(name);
  const differs = own.mtimeMs !== told.mtimeMs || own.mode !== told.mode;
  return rules.isExact && differs ? "adjust" : undefined;
}

function decideLink(told: ToldEntry, own: FolderEntry | undefined, name: string, rules: PlanRules): Decision {
  if (!own) return "link";
  if (own.kind === "directory") return inPlaceOfDirectory(name, rules);
  if (own.kind === "link" && own.target === told.target) {
    return rules.isExact && own.mtimeMs !== told.mtimeMs ? "adjust" : undefined;
  }
  return replacing(name, rules, "link");
}

function replacing(name: string, { ifDifferent }: PlanRules, action: PlannedAction): Decision {
  switch (ifDifferent) {
    case "replace":
      return action;
    case "skip":
      return "skip";
    case "rename":
      return action === "replace" ? "create" : taken(name);
    case "error":
      return taken(name);
  }
}

function inPlaceOfDirectory(name: string, { ifDifferent, removes }: PlanRules): Decision {
  if (removes) return "later";
  if (ifDifferent === "skip") return "skip";
  return new AppError("is_directory", `Cannot store ${quoteName(name)}: it is a directory`, {
    advice: "Remove it there, or say --delete",
  });
}

function taken(name: string): AppError {
  return new AppError("exists", `Cannot store ${quoteName(name)}: the name is taken by something else`);
}
