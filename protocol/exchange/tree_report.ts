/** What sender and receiver of a tree tell those who run them, and one another, about how it goes. */
import { type AppError, forPeer } from "../errors.ts";
import type { ToldEntry } from "../wire/entry_batch.ts";
import type { PlannedAction } from "../wire/plan_actions.ts";

/** What it came to. */
export interface Tally {
  /** Files that were stored, and their bytes. */
  readonly files: number;
  readonly fileBytes: number;
  readonly unchanged: number;
  readonly skipped: number;
  readonly removed: number;
  readonly failed: number;
  /** Files that were there under another name. */
  readonly moved: number;
  /** Of what was replaced or removed, what could not be kept. */
  readonly unkept?: number | undefined;
}

/** What has been added to where it stands. */
export interface TreeStep {
  /** Entries that were found, the bytes of the files among them, and whether those are all. */
  readonly entries?: number;
  readonly sizeBytes?: number;
  readonly isCounted?: boolean;
  /** The connection was lost: they are found anew. */
  readonly isAgain?: boolean;
  /** Files that are stored. */
  readonly files?: number;
  /** Bytes of files. */
  readonly bytes?: number;
  /** Which file is under way. */
  readonly name?: string;
}

export interface TreeEvents {
  /**
   * Told of each action in the order of the names, when it is decided and before it is done; then of what was put off: of
   * moves, which come `from` another name, when they are done, and of the others.
   */
  readonly onPlanned?:
    | ((action: PlannedAction, name: string, entry: Pick<ToldEntry, "kind">, from?: string) => void)
    | undefined;
  /** Names that will be removed. */
  readonly onRemoved?: ((names: readonly string[]) => void) | undefined;
  readonly onFailed?: ((name: string, error: AppError) => void) | undefined;
  readonly onProgress?: ((step: TreeStep) => void) | undefined;
}

/** `error` as the peer is told of it. */
export function failure(error: AppError): { readonly code: number; readonly text: string } {
  const { number, text } = forPeer(error);
  return { code: number, text };
}

/** The bytes of the files among `entries`. */
export function sizeOfFiles(entries: readonly ToldEntry[]): number {
  let sizeBytes = 0;
  for (const entry of entries) if (entry.kind === "file") sizeBytes += entry.sizeBytes;
  return sizeBytes;
}
