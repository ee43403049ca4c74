/**
 * The files that a receiver of a tree wants: in which order they have to come, what is done when they do, and when they
 * are told to be kept. Small ones are stored in groups, large ones by `receiver.ts`.
 */
import { AppError } from "../errors.ts";
import { quoteName } from "../escape.ts";
import type { FileTree, Folder, IfTaken } from "../files/tree.ts";
import type { ToldEntry } from "../wire/entry_batch.ts";
import type { MessageOf } from "../wire/messages/mod.ts";
import { CrcChoice } from "./checksum.ts";
import { concatBytes } from "./proof.ts";
import { Queue } from "./queue.ts";
import { receiveFile } from "./receiver.ts";
import type { Session } from "./session.ts";
import { endsSession, tooLarge } from "./transfer.ts";
import { FileGroup } from "./tree_group.ts";
import type { TreeEvents } from "./tree_report.ts";
import { folderOf, notMade, type Place } from "./tree_told.ts";
import { joinNames } from "./tree_walk.ts";

/** A file that was wanted, and has not come. */
export interface Wanted extends Place {
  readonly ifTaken: IfTaken;
  /** How large the file is that it replaces. */
  readonly replacedBytes: number | undefined;
}

export interface ArrivalsOptions {
  readonly tree: FileTree;
  /** Below which directory of it the tree is stored. */
  readonly top: string;
  readonly isExact: boolean;
  readonly isFlushed: boolean;
  /** The largest file to take. */
  readonly sizeBytesMax: number;
  readonly onProgress: TreeEvents["onProgress"];
  /** Of `sizeBytes`, `reportedBytes` were told as progress already. */
  readonly onStored: (sizeBytes: number, reportedBytes: number) => void;
  /** `isTold`: the sender knows. */
  readonly onFailed: (name: string, error: AppError, isTold: boolean) => void;
}

export class Arrivals {
  readonly #session: Session;
  readonly #crc: CrcChoice;
  readonly #options: ArrivalsOptions;
  readonly #group: FileGroup;
  readonly #wanted = new Queue<Wanted>();
  #lastWanted = -1;
  #settled = -1;
  #kept = -1;

  constructor(session: Session, options: ArrivalsOptions) {
    this.#session = session;
    this.#crc = new CrcChoice(session);
    this.#options = options;
    this.#group = new FileGroup(options.isFlushed);
  }

  /** Call it before anything comes. */
  async start(): Promise<void> {
    await this.#crc.moved(0);
  }

  /** How many have not come. */
  get count(): number {
    return this.#wanted.length;
  }

  /** The number of the last one that was wanted. */
  get lastWanted(): number {
    return this.#lastWanted;
  }

  /** The number up to which all that was wanted is stored, or has failed. */
  get kept(): number {
    return this.#kept;
  }

  want(wanted: Wanted): void {
    this.#lastWanted = wanted.number;
    this.#wanted.push(wanted);
  }

  /** The numbers of what is wanted begin anew: everything so far is settled and kept. */
  restart(): void {
    this.#settled = this.#kept = -1;
  }

  /** The entries of `folder` have changed in another way. */
  dirty(folder: Folder): void {
    this.#group.dirty(folder);
  }

  async takeSmall({ number, mtimeMs, content }: MessageOf<"file">): Promise<void> {
    const wanted = this.takeNext(number);
    const { directory: { folder }, told, name, ifTaken } = wanted;
    const { sizeBytesMax, isExact, onFailed } = this.#options;
    const bytes = content.length === 1 ? content[0]! : concatBytes(content);
    if (mtimeMs === undefined && bytes.length !== told.sizeBytes) {
      throw new AppError("malformed", `The sender told of ${told.sizeBytes} bytes and sent ${bytes.length}`);
    }
    this.#session.dataBytesMoved += bytes.length;
    if (!folder) return onFailed(name, notMade(name), false);
    if (bytes.length > sizeBytesMax) return onFailed(name, tooLarge(name, sizeBytesMax), false);
    const facts = { mtimeMs: mtimeMs ?? told.mtimeMs, ...bitsOf(told, isExact) };
    let replacedBytes: number | undefined;
    try {
      replacedBytes = await replacedBytesOf(wanted);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return onFailed(name, error, false);
    }
    this.#group.add({ name, folder, base: told.name, bytes, facts, ifTaken, replacedBytes });
    await this.#crc.moved(bytes.length);
    if (this.#group.isFull) await this.keep();
  }

  async takeLarge(offer: MessageOf<"offer">): Promise<void> {
    const settledBefore = this.#settled;
    const wanted = this.takeNext();
    const { told, name, ifTaken } = wanted;
    if (offer.name !== name) throw new AppError("order", `The sender offered ${quoteName(offer.name)} out of turn`);
    const { sizeBytes, mtimeMs, compares: comparesOld } = offer;
    const { tree, top, sizeBytesMax, onProgress, onStored, onFailed } = this.#options;
    const facts = { sizeBytes, mtimeMs, comparesOld, ...bitsOf(told, this.#options.isExact) };
    let reported = 0;
    let isKept = false;
    try {
      // Within the transfer: what goes wrong with those before it answers this offer, too.
      const begin = async () => {
        await this.keep(settledBefore);
        isKept = true;
        folderOf(wanted);
        return await tree.create(joinNames(top, name), facts, ifTaken);
      };
      const stored = await receiveFile(this.#session, offer, begin, {
        sizeBytesMax,
        onProgress: ({ phase, bytes }) => {
          if (phase !== "moving") return;
          onProgress?.({ name, bytes: bytes - reported });
          reported = bytes;
        },
      });
      onStored(stored.sizeBytes, reported);
    } catch (error) {
      if (!(error instanceof AppError) || endsSession(error) || !isKept) throw error;
      onFailed(name, error, true); // it was part of that transfer
    }
  }

  /** The file whose turn it is: they come in the order in which they were wanted. Throws `order`. */
  takeNext(number = this.#wanted.at(0)?.number): Wanted {
    const wanted = this.#wanted.shift();
    if (!wanted || wanted.number !== number) throw new AppError("order", "The sender sent a file out of turn");
    this.#settled = wanted.number;
    return wanted;
  }

  /** Stores what has come, and says so of what is `settled`. */
  async keep(settled = this.#settled): Promise<void> {
    const { onStored, onFailed } = this.#options;
    await this.#group.commit(({ bytes }) => onStored(bytes.length, 0), (name, error) => onFailed(name, error, false));
    if (settled > this.#kept) this.#session.send({ type: "kept", number: this.#kept = settled });
  }

  /** Leaves nothing of what is not visible yet. */
  discard(): Promise<void> {
    return this.#group.discard();
  }
}

/** The bits that a file gets: those that were told, or whether it may be executed. */
export function bitsOf({ mode }: ToldEntry, isExact: boolean): { permissions?: number; isExecutable: boolean } {
  return { isExecutable: (mode & 0o100) !== 0, ...(isExact ? { permissions: mode } : {}) };
}

/** How large the file is that it replaces; looked up where somebody else may have put one since it was wanted. */
async function replacedBytesOf({ directory, told, ifTaken, replacedBytes }: Wanted): Promise<number | undefined> {
  if (directory.state !== "found" || ifTaken !== "replace") return replacedBytes;
  return (await directory.folder!.look(told.name))?.sizeBytes;
}
