/**
 * What a sender finds on its walk: handed out to be told, and in a pre-flight looked at to the end before anything is
 * changed. What cannot be told yet waits in a queue; when that is full, a second walk looks at the rest of the tree, from
 * the beginning of the directory that the first one is in.
 */
import type { FileTree } from "../files/tree.ts";
import type { NameRules } from "../name_rules.ts";
import { TreeCheck } from "./tree_check.ts";
import { type Finding, Findings, type TreeSum } from "./tree_preflight.ts";
import { TreeWalk, type WalkBatch, type WalkOptions } from "./tree_walk.ts";

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

/** So many entries wait to be told, at most: with 60,000 a run of a million needs 270 MB, with 100,000 340. */
const QUEUE_ENTRIES_MAX = 60_000;

export class TreeScan {
  readonly #options: ScanOptions;
  readonly #walk: TreeWalk;
  #isWalked = false;
  #queue: WalkBatch[] = [];
  #at = 0;
  #queuedEntries = 0;
  #second: TreeWalk | undefined;
  #isSeen: boolean;
  #sum: Required<TreeSum> = { entries: 0, sizeBytes: 0, largestBytes: 0 };
  readonly #findings = new Findings();
  /** Both, when the directory that is being walked was begun. */
  #before = { sum: this.#sum, findings: this.#findings.mark() };

  constructor(tree: FileTree, top: string, options: ScanOptions) {
    this.#options = options;
    this.#isSeen = !options.isPass;
    const walkOptions = this.#optionsFor(options, (name, error, beside) => {
      if (error.code !== "bad_name" || !options.names) options.onLeftOut?.(name, error);
      else if (this.#isSeen) options.onImpossible({ name, error, beside });
      else if (!this.#second) this.#findings.add({ name, error, beside });
    });
    this.#walk = new TreeWalk(tree, top, walkOptions);
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
    this.#queuedEntries -= queued.found.length;
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
      this.#queuedEntries += batch.found.length;
      return;
    }
    this.#second ??= this.#startSecond();
    const batch = await this.#second.next();
    if (batch) this.#add(batch);
    else this.#isSeen = true;
  }

  async #draw(): Promise<WalkBatch | undefined> {
    const batch = await this.#walk.next();
    if (batch) {
      if (!this.#second && !this.#isSeen) this.#add(batch);
      return batch;
    }
    this.#isWalked = true;
    if (!this.#second) this.#isSeen = true;
  }

  /** What was seen of a directory that is not at its end is seen again. */
  #startSecond(): TreeWalk {
    this.#sum = this.#before.sum;
    this.#findings.cutTo(this.#before.findings);
    return this.#walk.fork(
      this.#optionsFor({ ...this.#options, hasDigests: false }, (name, error, beside) => {
        if (error.code === "bad_name") this.#findings.add({ name, error, beside });
      }),
    );
  }

  #optionsFor(options: ScanOptions, onLeftOut: NonNullable<WalkOptions["onLeftOut"]>): WalkOptions {
    const check = options.names && new TreeCheck(options.names);
    const refusesEntry: WalkOptions["refusesEntry"] = check && ((...entry) => check.refusal(...entry));
    return { ...options, refusesEntry, onLeftOut };
  }

  #add({ entries: batch, isLast }: WalkBatch): void {
    let { entries, sizeBytes, largestBytes } = this.#sum;
    entries += batch.length;
    for (const entry of batch) {
      if (entry.kind !== "file") continue;
      sizeBytes += entry.sizeBytes;
      if (entry.sizeBytes > largestBytes) largestBytes = entry.sizeBytes;
    }
    this.#sum = { entries, sizeBytes, largestBytes };
    if (isLast) this.#before = { sum: this.#sum, findings: this.#findings.mark() };
  }
}
