/** A source and a draft in memory, which record what is done to them and fail when they are told to. */
import { AppError } from "../../protocol/errors.ts";
import type { Draft, Source } from "../../protocol/files/tree.ts";
import { BLOCK_BYTES } from "../../protocol/limits.ts";
import { assertEquals } from "../support/assert.ts";

export interface SourceOptions {
  /** At most so many bytes for each read. */
  readonly readMax?: number;
  /** Told the offset of each read before it happens. */
  readonly onRead?: (offset: number) => void;
  /** Whether `verifyUnchanged` finds a change. */
  readonly isChanged?: boolean;
}

export class MemorySource implements Omit<Source, "entry"> {
  readonly content: Uint8Array;
  readonly #options: SourceOptions;
  /** Bytes that were read, in all. */
  bytesRead = 0;
  disposals = 0;

  constructor(content: Uint8Array, options: SourceOptions = {}) {
    this.content = content;
    this.#options = options;
  }

  readAt(offset: number, into: Uint8Array): number {
    const { onRead, readMax = Infinity } = this.#options;
    onRead?.(offset);
    const piece = this.content.subarray(offset, offset + Math.min(into.length, readMax));
    into.set(piece);
    this.bytesRead += piece.length;
    return piece.length;
  }

  verifyUnchanged(): void {
    if (this.#options.isChanged) throw new AppError("source_changed", "The file changed while it was read");
  }

  [Symbol.dispose](): void {
    this.disposals++;
  }
}

export interface DraftOptions {
  /** What an earlier attempt left. */
  readonly held?: Uint8Array;
  /** The file that it replaces. */
  readonly old?: Uint8Array;
  readonly restarted?: boolean;
  /** Under which name it is published. */
  readonly publishedName?: string;
  /** Told before each write how much is written already. */
  readonly onWrite?: (offset: number) => void;
  readonly onPublish?: () => void;
  readonly onSuspend?: () => void;
}

export class MemoryDraft implements Draft {
  readonly heldBlocks: number;
  readonly restarted: boolean;
  readonly old: Draft["old"];
  /** The calls in their order; writes without their bytes, several of them once. */
  readonly calls: string[] = [];
  state: "open" | "published" | "suspended" | "discarded" = "open";
  readonly #options: DraftOptions;
  readonly #pieces: Uint8Array[] = [];

  constructor(options: DraftOptions = {}) {
    const { held = new Uint8Array(), restarted = false } = options;
    this.#options = options;
    this.heldBlocks = Math.floor(held.length / BLOCK_BYTES);
    this.restarted = restarted;
    this.old = options.old && oldFile(options.old);
    this.#pieces.push(held);
  }

  get content(): Uint8Array {
    const all = new Uint8Array(this.#sizeBytes);
    let at = 0;
    for (const piece of this.#pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  }

  get #sizeBytes(): number {
    return this.#pieces.reduce((size, piece) => size + piece.length, 0);
  }

  readAt(offset: number, into: Uint8Array): number {
    const piece = this.#pieces[0]!.subarray(offset, offset + into.length);
    into.set(piece);
    return piece.length;
  }

  startAt(offset: number): void {
    this.#expectOpen(`startAt ${offset}`);
    assertEquals(this.calls, [`startAt ${offset}`], "startAt comes once, before anything else");
    assertEquals(offset <= this.#sizeBytes, true, "startAt is within what is held");
    this.#pieces[0] = this.#pieces[0]!.slice(0, offset);
  }

  write(bytes: Uint8Array): void {
    this.#options.onWrite?.(this.#sizeBytes);
    this.#expectOpen("write");
    this.#pieces.push(bytes.slice());
  }

  publish(): Promise<string> {
    this.#expectOpen("publish");
    this.#options.onPublish?.();
    this.state = "published";
    return Promise.resolve(this.#options.publishedName ?? "file");
  }

  suspend(): void {
    this.calls.push("suspend");
    this.#options.onSuspend?.();
    if (this.state === "open") this.state = "suspended";
  }

  discard(): void {
    this.calls.push("discard");
    if (this.state === "open") this.state = "discarded";
  }

  #expectOpen(call: string): void {
    assertEquals(this.state, "open", `${call} came behind the end`);
    if (call !== "write" || this.calls.at(-1) !== "write") this.calls.push(call);
  }
}

function oldFile(content: Uint8Array): NonNullable<Draft["old"]> {
  return {
    entry: { name: "file", kind: "file", sizeBytes: content.length, mtimeMs: 0, mode: 0o644 },
    readAt(offset, into) {
      const piece = content.subarray(offset, offset + into.length);
      into.set(piece);
      return piece.length;
    },
  };
}
