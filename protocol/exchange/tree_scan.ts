/**
 * What a sender finds on its walk: handed out to be told, and in a pre-flight looked at to the end before anything is
 * changed. What cannot be told yet waits in a queue; when that is full, a second walk looks at the rest of the tree.
 */
import type { AppError } from "../errors.ts";
import type { FileTree } from "../files/tree.ts";
import type { NameRules } from "../name_rules.ts";
import { TreeCheck } from "./tree_check.ts";
import { type Finding, Findings, type TreeSum } from "./tree_preflight.ts";
import { type WalkBatch, type WalkOptions, walkTree } from "./tree_walk.ts";

export interface ScanOptions extends WalkOptions {
  /** What there can be at the receiver's; without it every name is told as it is. */
  readonly names?: NameRules | undefined;
  /** Everything is looked at before anything may be changed. */
  readonly isPass: boolean;
  /** Told of what is left out because the receiver cannot have it, once things are changed. */
  readonly onImpossible: (finding: Finding) => void;
  /** How many entries may wait to be told. */
  readonly queueMax?: number | undefined;
}

/** So many entries wait to be told, at most. */
const QUEUE_ENTRIES_MAX = 100_000;

export class TreeScan {
  readonly #tree: FileTree;
  readonly #top: string;
  readonly #options: ScanOptions;
  readonly #walk: AsyncGenerator<WalkBatch>;
  #isWalked = false;
  #queue: WalkBatch[] = [];
  #at = 0;
  #queuedEntries = 0;
  #second: AsyncGenerator<WalkBatch> | undefined;
  #isSeen: boolean;
  #sum = { entries: 0, sizeBytes: 0, largestBytes: 0 };
  #findings = new Findings();

  constructor(tree: FileTree, top: string, options: ScanOptions) {
    this.#tree = tree;
    this.#top = top;
    this.#options = options;
    this.#isSeen = !options.isPass;
    this.#walk = this.#start(options, (name, error, beside) => {
      if (error.code !== "bad_name" || !options.names) options.onLeftOut?.(name, error);
      else if (this.#isSeen) options.onImpossible({ name, error, beside });
      else if (!this.#second) this.#findings.add({ name, error, beside });
    });
  }

  /** Whether everything was looked at. */
  get isSeen(): boolean {
    return this.#isSeen;
  }

  /** Whether `next` has nothing more. */
  get isOver(): boolean {
    return this.#isWalked && this.#at === this.#queue.length;
  }

  /** What everything comes to that was looked at. */
  get sum(): TreeSum {
    return this.#sum;
  }

  /** What was found that cannot be at the receiver's. */
  get findings(): Findings {
    return this.#findings;
  }

  /** The next entries to be told; `undefined` behind the last. */
  async next(): Promise<WalkBatch | undefined> {
    const queued = this.#queue[this.#at];
    if (!queued) return await this.#draw();
    this.#queuedEntries -= queued.told.length;
    if (++this.#at === this.#queue.length) {
      this.#queue = [];
      this.#at = 0;
    }
    return queued;
  }

  /** Looks at some more, which is not to be told yet. */
  async lookAhead(): Promise<void> {
    const { queueMax = QUEUE_ENTRIES_MAX } = this.#options;
    if (!this.#second && this.#queuedEntries < queueMax) {
      const batch = await this.#draw();
      if (!batch) return;
      this.#queue.push(batch);
      this.#queuedEntries += batch.told.length;
      return;
    }
    this.#second ??= this.#startAgain();
    const { done, value } = await this.#second.next();
    if (done) this.#isSeen = true;
    else this.#add(value);
  }

  async #draw(): Promise<WalkBatch | undefined> {
    const { done, value } = await this.#walk.next();
    if (!done) {
      if (!this.#second && !this.#isSeen) this.#add(value);
      return value;
    }
    this.#isWalked = true;
    if (!this.#second) this.#isSeen = true;
  }

  /** From the beginning: what the first walk has found so far is found again. */
  #startAgain(): AsyncGenerator<WalkBatch> {
    this.#sum = { entries: 0, sizeBytes: 0, largestBytes: 0 };
    this.#findings = new Findings();
    return this.#start({ ...this.#options, hasDigests: false }, (name, error, beside) => {
      if (error.code === "bad_name") this.#findings.add({ name, error, beside });
    });
  }

  #start(options: ScanOptions, onLeftOut: (name: string, error: AppError, beside?: string) => void) {
    const check = options.names && new TreeCheck(options.names);
    const refusesEntry: WalkOptions["refusesEntry"] = check && ((...entry) => check.refusal(...entry));
    return walkTree(this.#tree, this.#top, { ...options, refusesEntry, onLeftOut });
  }

  #add({ entries }: WalkBatch): void {
    const sum = this.#sum;
    sum.entries += entries.length;
    for (const { kind, sizeBytes } of entries) {
      if (kind !== "file") continue;
      sum.sizeBytes += sizeBytes;
      if (sizeBytes > sum.largestBytes) sum.largestBytes = sizeBytes;
    }
  }
}
