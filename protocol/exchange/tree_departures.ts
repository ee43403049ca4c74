/**
 * The files that a sender of a tree is to send: those that were wanted, in that order, and those that are sent and not
 * yet told to be kept. How much may be on its way is bounded. Small files go whole, large ones by `sender.ts`.
 */
import { AppError } from "../errors.ts";
import type { FolderEntry } from "../files/tree.ts";
import { BLOCK_BYTES, BODY_BYTES_MAX, TREE_BYTES_AHEAD_MAX, TREE_FILES_AHEAD_MAX } from "../limits.ts";
import type { MessageOf } from "../wire/messages/mod.ts";
import { CrcChoice } from "./checksum.ts";
import { Queue } from "./queue.ts";
import { sendFile, verifyStored } from "./sender.ts";
import type { Session } from "./session.ts";
import { endsSession, peerError, type TransferResult } from "./transfer.ts";
import { failure, type TreeEvents } from "./tree_report.ts";
import { joinNames, type Told, type WalkOptions } from "./tree_walk.ts";

export interface DeparturesOptions extends Pick<TreeEvents, "onFailed" | "onProgress">, Pick<WalkOptions, "refuses"> {
  /** Below which directory of ours the tree is. */
  readonly top: string;
}

/** With fewer wanted files than that, and fewer bytes of them, more is told first. */
const WANTED_ENOUGH = 512;
const WANTED_BYTES_ENOUGH = 1_048_576;

/** So many small files, and so many bytes of them, are read on one visit to their folder. */
const READ_TOGETHER = 32;
const READ_TOGETHER_BYTES = 131_072;

/** What a `file` message has besides the content. */
const FILE_FACTS_BYTES = 64;
const PIECE_BYTES = 65_535;

/** A file that was wanted, by its number. */
interface Wanted {
  readonly number: number;
  readonly told: Told;
  /** The receiver holds nothing of it. */
  readonly isFresh: boolean;
}

export class Departures {
  readonly #session: Session;
  readonly #crc: CrcChoice;
  readonly #options: DeparturesOptions;
  readonly #buffer: Uint8Array;
  readonly #wanted = new Queue<Wanted>();
  #wantedBytes = 0;
  /** Sent, and not yet kept. */
  #sent: { number: number; bytes: number }[] = [];
  #sentBytes = 0;
  /** Large files that were sent, and are not answered yet: the answers come in order. */
  readonly #unanswered: TransferResult[] = [];

  constructor(session: Session, options: DeparturesOptions) {
    this.#session = session;
    this.#crc = new CrcChoice(session);
    this.#options = options;
    this.#buffer = new Uint8Array(Math.min(session.dataBytesMax, BODY_BYTES_MAX) - FILE_FACTS_BYTES);
  }

  /** Call it before anything is sent. */
  async start(): Promise<void> {
    await this.#crc.moved(0);
  }

  /** How many are wanted and not sent. */
  get count(): number {
    return this.#wanted.length;
  }

  /** How many are wanted and not kept. */
  get aheadCount(): number {
    return this.count + this.#sent.length;
  }

  get maySend(): boolean {
    return this.#sent.length + this.#unanswered.length < TREE_FILES_AHEAD_MAX && this.#sentBytes < TREE_BYTES_AHEAD_MAX;
  }

  /** Whether so much is wanted that sending it is worth while before more is told. */
  get isEnough(): boolean {
    return this.count >= WANTED_ENOUGH || this.#wantedBytes >= WANTED_BYTES_ENOUGH;
  }

  want(wanted: Wanted): void {
    this.#wanted.push(wanted);
    this.#wantedBytes += wanted.told.entry.sizeBytes;
  }

  /** The receiver has kept everything up to that number. */
  takeKept(number: number): void {
    const first = this.#sent.findIndex((sent) => sent.number > number);
    const kept = this.#sent.splice(0, first < 0 ? this.#sent.length : first);
    let bytes = 0;
    for (const sent of kept) bytes += sent.bytes;
    this.#sentBytes -= bytes;
    this.#options.onProgress?.({ files: kept.length, bytes });
  }

  /** What the receiver says about the oldest large file that was sent; `false` where that is not what it speaks of. */
  takeAnswer(answer: MessageOf<"stored" | "error">): boolean {
    const sent = this.#unanswered.shift();
    if (!sent) return false;
    try {
      if (answer.type === "error") throw peerError(answer);
      verifyStored(sent, answer);
      this.#options.onProgress?.({ files: 1 });
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      this.#options.onFailed?.(sent.name, error);
    }
    return true;
  }

  /** Sends the next one, or several; call it only when there is one. */
  async sendNext(): Promise<void> {
    const wanted = this.#nextWanted()!;
    const { number, told } = wanted;
    const refusal = this.#options.refuses?.("read", joinNames(this.#options.top, told.name));
    if (refusal) return this.#sendGone(number, told, refusal);
    if (told.entry.sizeBytes <= this.#buffer.length) return await this.#sendSmall(wanted);
    try {
      await this.#sendLarge(wanted);
    } catch (error) {
      if (!(error instanceof AppError) || endsSession(error)) throw error;
      this.#sendGone(number, told, error);
    }
  }

  #nextWanted(): Wanted | undefined {
    const wanted = this.#wanted.shift();
    this.#wantedBytes -= wanted?.told.entry.sizeBytes ?? 0;
    return wanted;
  }

  /** Sends a small file, and those behind it that are in the same folder. */
  async #sendSmall(first: Wanted): Promise<void> {
    const files = [first];
    let bytes = first.told.entry.sizeBytes;
    while (files.length < READ_TOGETHER && bytes < READ_TOGETHER_BYTES && this.#maySendWith(first.told)) {
      const next = this.#nextWanted()!;
      files.push(next);
      bytes += next.told.entry.sizeBytes;
    }
    const { folder } = first.told;
    await folder.readEach(files.map(({ told }) => told.entry), this.#buffer, (index, read) => {
      const { number, told } = files[index]!;
      if (read instanceof AppError) this.#sendGone(number, told, read);
      else this.#sendContent(number, told, read);
    });
    await this.#crc.moved(bytes);
  }

  /** Whether the next file that is wanted can be read together with `told`. */
  #maySendWith({ folder }: Told): boolean {
    const next = this.#wanted.at(0)?.told;
    return next?.folder === folder && next.entry.sizeBytes <= this.#buffer.length &&
      !this.#options.refuses?.("read", joinNames(this.#options.top, next.name));
  }

  #sendContent(number: number, { name, entry }: Told, sent: FolderEntry): void {
    const content: Uint8Array[] = [];
    for (let at = 0; at < sent.sizeBytes; at += PIECE_BYTES) {
      content.push(this.#buffer.subarray(at, Math.min(at + PIECE_BYTES, sent.sizeBytes)));
    }
    this.#session.send({ type: "file", number, content, ...(sent === entry ? {} : { mtimeMs: sent.mtimeMs }) });
    this.#session.dataBytesMoved += sent.sizeBytes;
    this.#sent.push({ number, bytes: sent.sizeBytes });
    this.#sentBytes += sent.sizeBytes;
    this.#options.onProgress?.({ name });
  }

  /** By the way of a single file, within which all its failures are told. */
  async #sendLarge({ told: { folder, name, entry }, isFresh }: Wanted): Promise<void> {
    const source = await folder.open(entry.name);
    const { sizeBytes, mtimeMs, mode } = source.entry;
    const eager = isFresh || sizeBytes < BLOCK_BYTES;
    const offer = { type: "offer", name, sizeBytes, mtimeMs, mode, eager, compares: !eager } as const;
    await this.#session.flushBulk();
    this.#options.onProgress?.({ name });
    let reported = 0;
    try {
      const sent = await sendFile(this.#session, () => ({ source, offer }), {
        isAnsweredLater: true,
        onProgress: ({ phase, bytes }) => {
          if (phase !== "moving") return;
          this.#options.onProgress?.({ bytes: bytes - reported });
          reported = bytes;
        },
      });
      this.#options.onProgress?.({ bytes: sent.sizeBytes - reported });
      this.#unanswered.push(sent);
    } catch (error) {
      if (!(error instanceof AppError) || endsSession(error)) throw error;
      this.#options.onFailed?.(name, error);
    }
  }

  #sendGone(number: number, { name }: Told, error: AppError): void {
    this.#session.send({ type: "gone", number, ...failure(error) });
    this.#sent.push({ number, bytes: 0 });
    this.#options.onFailed?.(name, error);
  }
}
