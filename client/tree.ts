/** Whole trees: from a local directory to one on the server, and back. */
import { keepIn } from "../protocol/files/keep_in.ts";
import type { FileTree } from "../protocol/files/tree.ts";
import { receiveTree } from "../protocol/exchange/tree_receiver.ts";
import type { Tally, TreeEvents, TreeStep } from "../protocol/exchange/tree_report.ts";
import { sendTree } from "../protocol/exchange/tree_sender.ts";
import type { AppError } from "../protocol/errors.ts";
import type { Session } from "../protocol/exchange/session.ts";
import { validateDirectoryName } from "../protocol/names.ts";
import { IF_IMPOSSIBLE, type IfImpossible } from "../protocol/wire/messages/preflight.ts";
import { IF_DIFFERENT, type IfDifferent, KEEPING, type Keeping } from "../protocol/wire/messages/sync.ts";
import type { Client } from "./client.ts";
import { runWithRoom } from "./tree_preflight.ts";

/** How one directory is made like another; what is not said is no. */
export interface TreeOptions extends TreeEvents {
  /** What the receiver does about a file that is there and is another one. @default "error" */
  readonly ifDifferent?: IfDifferent;
  /** Permission bits, and times of directories, are taken over too. */
  readonly isExact?: boolean;
  /** Files of the same size are compared by content, not by time. */
  readonly hasChecksums?: boolean;
  /** What the sender does not have is removed, if that is at most so much. */
  readonly removeMax?: number | undefined;
  readonly isDryRun?: boolean;
  readonly isUnflushed?: boolean;
  /** What is replaced or removed is kept, to be undone; `on`: what cannot be kept stays as it is. @default "off" */
  readonly trash?: Keeping;
  /** Which names are left out: not sent, not replaced, not removed. */
  readonly excludes?: ((name: string, isDirectory: boolean) => boolean) | undefined;
  /**
   * What is done about entries that the receiver cannot have, and about what does not fit: nothing at all, or the rest.
   * @default "stop"
   */
  readonly ifImpossible?: IfImpossible;
  /** Told of what is no file, directory or link that could be sent, and of names that break the rule. */
  readonly onLeftOut?: ((name: string, error: AppError | undefined) => void) | undefined;
  /** Told how many entries the server has with names that nobody may send. */
  readonly onHidden?: ((count: number) => void) | undefined;
}

export interface TreeResult extends Tally {
  /** All that went over the connection for it, both ways. */
  readonly bytesOnWire: number;
}

/** Stores what is in `tree` below the directory `name` of the server, "" for the shared one. */
export async function pushTree(
  client: Client,
  tree: FileTree,
  name: string,
  options: TreeOptions = {},
): Promise<TreeResult> {
  validateDirectoryName(name);
  const { trash = "off" } = options;
  const keeping = trash === "off" ? {} : { trash: KEEPING.indexOf(trash), tag: makeTag() };
  return await runWithRoom(options, async (options, checks) => {
    const { excludes, removeMax, isDryRun, onLeftOut } = options;
    const { ifImpossible, onNeed } = checks;
    return await attemptTree(client, options, (session, events) => {
      session.send({
        type: "push",
        name,
        removeMax,
        ifDifferent: IF_DIFFERENT.indexOf(options.ifDifferent ?? "error"),
        exact: options.isExact,
        dryRun: isDryRun,
        unflushed: options.isUnflushed,
        filtered: excludes !== undefined && removeMax !== undefined,
        ifImpossible: IF_IMPOSSIBLE.indexOf(ifImpossible),
        measure: onNeed !== undefined,
        ...keeping,
      });
      return sendTree(session, tree, "", {
        ...events,
        preflight: { ...checks, onCleared: events.onCleared },
        isDecidedHere: true,
        onNeed,
        excludes,
        hasDigests: options.hasChecksums,
        isDryRun,
        onLeftOut,
        // Whether it is a directory there is not told: what could be either is left where it is.
        spares: (extra) => excludes!(extra, false) || excludes!(extra, true),
      });
    });
  });
}

/** Stores what the server has below its directory `name` in `tree`, below its directory `options.into`. */
export async function pullTree(
  client: Client,
  name: string,
  tree: FileTree,
  options: TreeOptions & { readonly into?: string } = {},
): Promise<TreeResult> {
  validateDirectoryName(name);
  const { into = "" } = options;
  return await runWithRoom(options, async (options, checks) => {
    const { ifDifferent = "error", isExact = false, hasChecksums, isDryRun, isUnflushed, trash = "off" } = options;
    const { ifImpossible, onNeed } = checks;
    await using keeping = keepIn(tree, trash, { directory: into, who: OWNER_OF_LOCAL_RUNS, isUnflushed });
    return await attemptTree(client, options, (session, events) => {
      const asked = IF_IMPOSSIBLE.indexOf(ifImpossible);
      session.send({ type: "pull", name, checksum: hasChecksums, dryRun: isDryRun, ifImpossible: asked });
      const preflight = { ...checks, onCleared: events.onCleared };
      const onLeftOut = (left: string) => options.onLeftOut?.(left, undefined);
      const { tree: kept, keepableBytes, settle } = keeping;
      const told = { ...options, ...events, ifDifferent, isExact, onLeftOut, keepableBytes, settle };
      return receiveTree(session, kept, into, { ...told, preflight, onNeed });
    });
  });
}

/** So many that are stored are forgotten together. */
const FORGOTTEN_TOGETHER = 1_024;
/** Who may undo what was pulled: whoever may change the directory. */
export const OWNER_OF_LOCAL_RUNS = "local";

/** Tells one run from all others: all attempts at it have the same. */
export function makeTag(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

interface AttemptEvents extends TreeEvents {
  /** From here on something is done; what was planned before is told now. */
  readonly onCleared: () => void;
}

type Work = (session: Session, events: AttemptEvents) => Promise<Tally>;

/** What was stored or moved before a connection broke off counts too, and what was planned then is told once. */
async function attemptTree(client: Client, options: TreeOptions, work: Work): Promise<TreeResult> {
  const { onRemoved, onFailed } = options;
  let bytesOnWire = 0;
  let earlier = { files: 0, fileBytes: 0, moved: 0 };
  let isAgain = false;
  /** Files that were told to be planned; the first `storedCount` of them are stored. */
  let planned: string[] = [];
  let storedCount = 0;
  /** Files that were told to be moved. */
  let moved: string[] = [];
  return await client.attempt(async ({ session, progressed }) => {
    if (isAgain) options.onProgress?.({ isAgain });
    isAgain = true;
    const toldBefore = new Set([...planned.slice(storedCount), ...moved]);
    planned = [];
    moved = [];
    storedCount = 0;
    const before = session.bytesOnWire;
    let stored = { files: 0, fileBytes: 0 };
    let unstoredBytes = 0;
    const onProgress = (step: TreeStep) => {
      unstoredBytes += step.bytes ?? 0;
      if (step.files) {
        progressed();
        storedCount += step.files;
        if (storedCount > FORGOTTEN_TOGETHER) {
          planned = planned.slice(storedCount);
          storedCount = 0;
        }
        stored = { files: stored.files + step.files, fileBytes: stored.fileBytes + unstoredBytes };
        unstoredBytes = 0;
      }
      options.onProgress?.(step);
    };
    let untold: (() => void)[] | undefined = [];
    const onCleared = () => {
      const told = untold;
      untold = undefined;
      told?.forEach((tell) => tell());
    };
    const onPlanned: NonNullable<TreeEvents["onPlanned"]> = (action, name, entry, from) => {
      if (untold) return void untold.push(() => onPlanned(action, name, entry, from));
      if (action === "create" || action === "replace") planned.push(name);
      if (action === "move") {
        progressed();
        moved.push(name);
      }
      if (!toldBefore.has(name)) options.onPlanned?.(action, name, entry, from);
    };
    try {
      const tally = await work(session, { onPlanned, onRemoved, onFailed, onProgress, onCleared });
      return {
        ...tally,
        files: tally.files + earlier.files,
        fileBytes: tally.fileBytes + earlier.fileBytes,
        moved: tally.moved + earlier.moved,
        unchanged: Math.max(0, tally.unchanged - earlier.files - earlier.moved),
        bytesOnWire: bytesOnWire + session.bytesOnWire - before,
      };
    } catch (error) {
      bytesOnWire += session.bytesOnWire - before;
      earlier = {
        files: earlier.files + stored.files,
        fileBytes: earlier.fileBytes + stored.fileBytes,
        moved: earlier.moved + (options.isDryRun ? 0 : moved.length),
      };
      throw error;
    }
  });
}
