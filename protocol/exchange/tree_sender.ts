/**
 * The one sender of trees: it tells what it has, hears what the receiver makes of it, and sends what is wanted.
 *
 * The same for a client that pushes and a server that is pulled from. Small files go without waiting for anything, large
 * ones by `sender.ts`. How much it tells and sends ahead is bounded, so memory does not depend on the tree; and it reads
 * while it writes, so that two who write never wait for one another.
 */
import { breathe, breatheLong } from "../breathe.ts";
import { AppError, toAppError } from "../errors.ts";
import type { FileTree, FolderEntry } from "../files/tree.ts";
import {
  BLOCK_BYTES,
  BODY_BYTES_MAX,
  TREE_BYTES_AHEAD_MAX,
  TREE_ENTRIES_AHEAD_MAX,
  TREE_FILES_AHEAD_MAX,
} from "../limits.ts";
import { packEntries } from "../wire/entry_batch.ts";
import type { Message, MessageOf } from "../wire/messages/mod.ts";
import { packIndices, type PlannedAction, unpackActions } from "../wire/plan_actions.ts";
import { CrcChoice } from "./checksum.ts";
import { sendFile } from "./sender.ts";
import type { Session } from "./session.ts";
import { endsSession, errorMessage, peerError } from "./transfer.ts";
import { joinNames, type Told, type WalkBatch, type WalkOptions, walkTree } from "./tree_walk.ts";
import { failure, sizeOfFiles, type Tally, type TreeEvents } from "./tree_report.ts";

export interface SendTreeOptions extends WalkOptions, TreeEvents {
  /** What is wanted is not sent. */
  readonly isDryRun?: boolean | undefined;
  /** Which names that are only at the receiver's are to stay. */
  readonly spares?: ((name: string) => boolean) | undefined;
}

/** What goes out together. */
const FLUSH_BYTES = 131_072;

/** With fewer wanted files than that, more is told first. */
const WANTED_ENOUGH = 512;

/** So many small files, and so many bytes of them, are read on one visit to their folder. */
const READ_TOGETHER = 32;
const READ_TOGETHER_BYTES = 131_072;

/** What a `file` message has besides the content. */
const FILE_FACTS_BYTES = 64;
const PIECE_BYTES = 65_535;

/**
 * Sends what is below the directory `top` of `tree`; what the receiver said that it came to. Throws what either side
 * ended it for; single files that fail are told to `options`.
 */
export async function sendTree(
  session: Session,
  tree: FileTree,
  top: string,
  options: SendTreeOptions,
): Promise<Tally> {
  const sending = new TreeSending(session, tree, top, options);
  using _breathing = breatheLong();
  using _bulk = session.startBulk({ takes: (message) => sending.take(message) });
  try {
    return await sending.run();
  } catch (cause) {
    const error = toAppError(cause, "Cannot send the tree");
    await sending.sayLastWord(error);
    throw error;
  }
}

interface Wanted {
  readonly number: number;
  readonly told: Told;
}

class TreeSending {
  readonly #session: Session;
  readonly #crc: CrcChoice;
  readonly #options: SendTreeOptions;
  readonly #tree: FileTree;
  readonly #top: string;
  readonly #batches: AsyncGenerator<WalkBatch>;
  readonly #buffer: Uint8Array;
  /** Told, and not yet considered; the first of them has the number `#considered`. */
  #told: Told[] = [];
  #considered = 0;
  #count = 0;
  #isScanned = false;
  #hidden = 0;
  readonly #wanted: Wanted[] = [];
  #wantedAt = 0;
  /** Wanted once the receiver has made room for them. */
  readonly #later = new Map<number, Told>();
  /** Sent, and not yet kept. */
  #sent: { number: number; bytes: number }[] = [];
  #sentBytes = 0;
  #taken = 0;
  #tally: Tally | undefined;

  constructor(session: Session, tree: FileTree, top: string, options: SendTreeOptions) {
    this.#session = session;
    this.#crc = new CrcChoice(session);
    this.#options = options;
    this.#tree = tree;
    this.#top = top;
    this.#batches = walkTree(tree, top, {
      ...options,
      onLeftOut: (name, error) => {
        if (error.code === "bad_name") this.#hidden++;
        options.onLeftOut?.(name, error);
      },
    });
    this.#buffer = new Uint8Array(Math.min(session.dataBytesMax, BODY_BYTES_MAX) - FILE_FACTS_BYTES);
  }

  async run(): Promise<Tally> {
    await this.#crc.moved(0);
    for (;;) {
      this.#heed(this.#session.poll());
      if (this.#tally) return this.#tally;
      if (this.#wantedCount > 0 && this.#maySend && (this.#wantedCount >= WANTED_ENOUGH || !this.#mayTell)) {
        await this.#sendNext();
      } else if (this.#mayTell) await this.#tellNext();
      else await this.#wait();
      if (this.#session.queuedBytes >= FLUSH_BYTES) await this.#session.flushBulk();
      await breathe();
    }
  }

  /** Hears what the receiver says about entries, at any time; whether it was that. */
  take(message: Message): boolean | "last" {
    switch (message.type) {
      case "plan":
        this.#takePlan(message);
        break;
      case "kept":
        this.#takeKept(message.number);
        break;
      case "failed":
        this.#options.onFailed?.(message.name, peerError(message));
        break;
      case "extra":
        this.#answerExtra(message);
        break;
      case "tallied": {
        const { type: _, ...tally } = message;
        this.#tally = tally;
        this.#taken++;
        return "last";
      }
      default:
        return false;
    }
    this.#taken++;
    return true;
  }

  /** Ends the exchange in order: the receiver has the last word, unless it has said that already. */
  async sayLastWord(error: AppError): Promise<void> {
    if (endsSession(error) || this.#session.hasEnded || this.#tally) return;
    try {
      this.#session.send(error.by === "peer" ? { type: "cancel" } : errorMessage(error));
      if (error.by === "peer") return await this.#session.flushBulk();
      const isOver = () => this.#tally !== undefined;
      while (!isOver() && (await this.#session.receiveUnless(isOver))?.type !== "error");
    } catch (failure) {
      if (!(failure instanceof AppError)) throw failure;
      this.#session.close(failure);
    }
  }

  get #wantedCount(): number {
    return this.#wanted.length - this.#wantedAt;
  }

  get #maySend(): boolean {
    return this.#sent.length < TREE_FILES_AHEAD_MAX && this.#sentBytes < TREE_BYTES_AHEAD_MAX;
  }

  get #mayTell(): boolean {
    const ahead = this.#count - this.#considered + this.#wantedCount + this.#sent.length;
    return !this.#isScanned && ahead < TREE_ENTRIES_AHEAD_MAX - 1_024;
  }

  /** Ends the telling, with what the directory itself is. */
  async #tellTop(): Promise<void> {
    const { mtimeMs, mode } = await this.#tree.stat(this.#top);
    this.#isScanned = true;
    this.#session.send({ type: "scanned", mtimeMs, mode, ...(this.#hidden > 0 ? { hidden: this.#hidden } : {}) });
    this.#options.onProgress?.({ isCounted: true });
  }

  async #tellNext(): Promise<void> {
    const { done, value: batch } = await this.#batches.next();
    if (done) return await this.#tellTop();
    for (const told of batch.told) this.#told.push(told);
    this.#count += batch.told.length;
    this.#options.onProgress?.({ entries: batch.told.length, sizeBytes: sizeOfFiles(batch.entries) });
    const { isLast: last, isUnknown: unknown, error } = batch;
    this.#session.send({
      type: "listed",
      ...packEntries(batch.entries),
      last,
      unknown,
      ...(error ? failure(error) : {}),
    });
  }

  #takePlan({ considered, actions }: MessageOf<"plan">): void {
    if (considered < this.#considered || considered > this.#count) {
      throw new AppError("order", `The receiver has considered ${considered} entries of ${this.#count}`);
    }
    for (const { number, action } of actions ? unpackActions(actions) : []) {
      const told = this.#later.get(number) ?? this.#told[number - this.#considered];
      if (!told) throw new AppError("order", `The receiver planned something for entry ${number}`);
      this.#takeAction(number, told, action);
    }
    this.#told = this.#told.slice(considered - this.#considered);
    this.#considered = considered;
  }

  #takeAction(number: number, told: Told, action: PlannedAction): void {
    const { name, entry, directory } = told;
    this.#options.onPlanned?.(action, name, entry);
    if (action === "pass" && directory) directory.isPassed = true;
    if (action === "later") this.#later.set(number, told);
    else this.#later.delete(number);
    if (action !== "create" && action !== "replace" || this.#options.isDryRun) return;
    if (entry.kind !== "file") throw new AppError("order", `The receiver wants entry ${number}, which is no file`);
    this.#wanted.push({ number, told });
  }

  #takeKept(number: number): void {
    const first = this.#sent.findIndex((sent) => sent.number > number);
    const kept = this.#sent.splice(0, first < 0 ? this.#sent.length : first);
    let bytes = 0;
    for (const sent of kept) bytes += sent.bytes;
    this.#sentBytes -= bytes;
    this.#options.onProgress?.({ files: kept.length, bytes });
  }

  #answerExtra({ names, asks }: MessageOf<"extra">): void {
    const { spares, onRemoved } = this.#options;
    if (!asks) return onRemoved?.(names);
    const spared = names.flatMap((name, index) => spares?.(name) ? [index] : []);
    this.#session.send({ type: "spare", indices: packIndices(spared) });
  }

  async #sendNext(): Promise<void> {
    const { number, told } = this.#nextWanted()!;
    const refusal = this.#options.refuses?.("read", joinNames(this.#top, told.name));
    if (refusal) return this.#sendGone(number, told, refusal);
    if (told.entry.sizeBytes <= this.#buffer.length) return await this.#sendSmall({ number, told });
    try {
      await this.#sendLarge(told);
    } catch (error) {
      if (!(error instanceof AppError) || endsSession(error)) throw error;
      this.#sendGone(number, told, error);
    }
  }

  #nextWanted(): Wanted | undefined {
    const wanted = this.#wanted[this.#wantedAt++];
    if (this.#wantedAt <= 1_024) return wanted;
    this.#wanted.splice(0, this.#wantedAt);
    this.#wantedAt = 0;
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
    const next = this.#wanted[this.#wantedAt]?.told;
    return next?.folder === folder && next.entry.sizeBytes <= this.#buffer.length &&
      !this.#options.refuses?.("read", joinNames(this.#top, next.name));
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
  async #sendLarge({ folder, name, entry }: Told): Promise<void> {
    const source = await folder.open(entry.name);
    const { sizeBytes, mtimeMs, mode } = source.entry;
    const offer = { type: "offer", name, sizeBytes, mtimeMs, mode, eager: sizeBytes < BLOCK_BYTES } as const;
    await this.#session.flushBulk();
    this.#options.onProgress?.({ name });
    let told = 0;
    try {
      const sent = await sendFile(this.#session, () => ({ source, offer }), {
        onProgress: ({ phase, bytes }) => {
          if (phase !== "moving") return;
          this.#options.onProgress?.({ bytes: bytes - told });
          told = bytes;
        },
      });
      this.#options.onProgress?.({ files: 1, bytes: sent.sizeBytes - told });
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

  /** Until the receiver has said something. */
  async #wait(): Promise<void> {
    const before = this.#taken;
    this.#heed(await this.#session.receiveUnless(() => this.#taken !== before));
  }

  /** What is not taken aside ends it. */
  #heed(message: Message | undefined): void {
    if (!message && this.#session.hasEnded && !this.#tally) {
      throw new AppError("lost", "The receiver closed the connection");
    }
    if (message?.type === "error") throw peerError(message);
    if (message) throw new AppError("order", `"${message.type}" came while a tree was sent`);
  }
}
