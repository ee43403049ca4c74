/** What a run notes of a deed, and what there is to be kept of what had the name before. */
import { AppError } from "../errors.ts";
import { quoteName } from "../escape.ts";
import type { FileSystem } from "./file_system.ts";
import { lookAtEntry } from "./folder_reading.ts";
import type { Here } from "./here.ts";
import type { Deed, TrashFacts } from "./trash.ts";
import { formatLine } from "./trash_note.ts";
import type { FolderEntry } from "./tree.ts";

export function isKeepable(facts: TrashFacts | undefined): boolean {
  return facts?.kind === "file" || facts?.kind === "link";
}

/** What stands there; `undefined` if nothing does. "" is the directory itself. */
export function factsAt(fs: FileSystem, here: Here, base: string): TrashFacts | undefined {
  const entry = lookAtEntry(fs, here, base === "" ? "." : base);
  return entry && factsOf(entry);
}

export function factsOf({ kind, sizeBytes, mtimeMs, mode, target }: FolderEntry): TrashFacts {
  return kind === "link" ? { kind, target, mtimeMs } : kind === "file" ? { kind, sizeBytes, mtimeMs, mode } : {
    kind,
    mtimeMs,
    mode,
  };
}

export function lineOf(deed: Deed, directory: string, was: TrashFacts | undefined, kept: string | undefined): string {
  const name = nameIn(directory, deed.base);
  const before = { ...(was ? { was } : {}), ...(kept ? { kept } : {}) };
  switch (deed.do) {
    case "store":
      return formatLine(was ? { do: "store", name, ...before, now: deed.now } : { do: "store", name, now: deed.now });
    case "remove":
      return was ? formatLine({ do: "remove", name, ...before, was }) : "";
    case "make":
      return formatLine({ do: "make", name });
    case "adjust": {
      const { mtimeMs = was?.mtimeMs, permissions = was?.mode } = deed.now;
      const mode = was?.kind === "link" ? undefined : permissions; // a link has a time alone
      return was ? formatLine({ do: "adjust", name, was, now: { ...was, mtimeMs, mode } }) : "";
    }
    case "move":
      return formatLine({ do: "move", name, from: deed.from, ...(deed.was ? { was: deed.was } : {}), now: deed.now });
  }
}

export function cannotKeep(name: string, { kind }: TrashFacts, fits: boolean): AppError {
  const [code, why] = kind === "other"
    ? ["not_a_file", "it is neither a file nor a link"] as const
    : ["no_space", fits ? "it cannot be" : "there is no room in the trash"] as const;
  return new AppError(code, `Cannot keep what is called ${quoteName(name)}: ${why}`, {
    advice: "Say --trash off to replace and remove it for good",
  });
}

/** The directory that `kept` is in, and those above it. */
export function directoriesOf(kept: string): string[] {
  const parts = kept.split("/").slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}

export function nameIn(directory: string, base: string): string {
  return directory === "" || base === "" ? directory + base : `${directory}/${base}`;
}
