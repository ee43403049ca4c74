/**
 * Files that the sender has under another name than the receiver. A new file is put off until it is known what goes; one
 * that goes and has the same content gets its name. Moving is to link, to flush, and to remove the old name: a file is under
 * the one, the other, or both, whenever somebody is stopped.
 */
import { breathe } from "../breathe.ts";
import { AppError } from "../errors.ts";
import type { FileTree, Folder, ToAdopt } from "../files/tree.ts";
import { TREE_MESSAGE_BYTES_MAX, TREE_MOVES_MAX } from "../limits.ts";
import { splitName } from "../names.ts";
import { packIndices, packPlan } from "../wire/plan_actions.ts";
import { splitDigests } from "./proof.ts";
import type { Session } from "./session.ts";
import { peerError } from "./transfer.ts";
import { bitsOf } from "./tree_arrivals.ts";
import { digestsOf, type ScannedFile } from "./tree_digests.ts";
import type { TouchedDirectories } from "./tree_directories.ts";
import { flushIfThere } from "./tree_group.ts";
import type { TreeLedger } from "./tree_ledger.ts";
import { matchMoves, type Move } from "./tree_matching.ts";
import type { Extra, Removal } from "./tree_removal.ts";
import type { TreeEvents } from "./tree_report.ts";
import type { Place, ToldWalk } from "./tree_told.ts";
import { joinNames } from "./tree_walk.ts";

export interface MovesOptions extends Pick<TreeEvents, "onPlanned"> {
  readonly session: Session;
  readonly tree: FileTree;
  /** Below which directory of it the tree is stored. */
  readonly top: string;
  readonly walk: ToldWalk;
  readonly removal: Removal;
  readonly touched: TouchedDirectories;
  readonly ledger: TreeLedger;
  readonly isExact: boolean;
  readonly isFlushed: boolean;
  readonly isDryRun: boolean;
  /** What is only here goes: otherwise nothing is moved. */
  readonly removes: boolean;
  /** How many new files are put off. @default `TREE_MOVES_MAX` */
  readonly movesMax?: number | undefined;
}

export class Moves {
  readonly #options: MovesOptions;
  /** In the order of their numbers. */
  #putOff: Place[] = [];

  constructor(options: MovesOptions) {
    this.#options = options;
  }

  /** How many files are put off. */
  get count(): number {
    return this.#putOff.length;
  }

  /** Whether `place`, which is to be created, may be a file that goes. */
  mayBe({ told }: Place): boolean {
    const { removes, walk, removal, movesMax = TREE_MOVES_MAX } = this.#options;
    const isFile = told.kind === "file" && told.sizeBytes > 0;
    const isPossible = removes && isFile && (!walk.isOwnOver || removal.mayHave(told.sizeBytes));
    return isPossible && this.#putOff.length < movesMax;
  }

  putOff(place: Place): void {
    this.#putOff.push(place);
  }

  /** Which files that are put off are which of `extras`. */
  async match(extras: readonly Extra[]): Promise<Move[]> {
    const { session, tree, top } = this.#options;
    return await matchMoves(this.#putOff, extras, {
      askFor: (places) => this.#askFor(places),
      digestsOf: async (some, verifyAlive = () => verifySilent(session)) => {
        const folders = new FolderVisits(tree, top);
        const files: (ScannedFile | undefined)[] = [];
        for (const { name, entry } of some) {
          const folder = await folders.of(splitName(name).directory);
          files.push(folder && { folder, entry });
        }
        return await digestsOf(files, verifyAlive);
      },
    });
  }

  /** Moves them, as far as that is possible still, and tells both sides; which of the old names are gone. */
  async make(moves: readonly Move[]): Promise<Set<Extra>> {
    const gone = new Set<Extra>();
    const moved = new Set<Place>();
    for (const batch of batches(moves)) {
      const made = this.#options.isDryRun ? batch : await this.#link(batch);
      for (const { place } of made) moved.add(place);
      for (const { from } of this.#options.isDryRun ? batch : await this.#removeOld(made)) gone.add(from);
      this.#tell(made);
    }
    this.#putOff = this.#putOff.filter((place) => !moved.has(place));
    return gone;
  }

  /** Those that were not moved. */
  takeRest(): Place[] {
    return this.#putOff.splice(0);
  }

  async #askFor(places: readonly Place[]): Promise<(Uint8Array | undefined)[]> {
    const digests = places.map(({ told }) => told.digest);
    const unknown = places.filter(({ told }) => !told.digest);
    const asked = unknown.length > 0 ? await askSender(this.#options.session, unknown) : [];
    let at = 0;
    return digests.map((digest) => digest ?? asked[at++]!).map((digest) => digest.some(Boolean) ? digest : undefined);
  }

  /** Gives files their new names; those to which that happened. */
  async #link(batch: readonly Move[]): Promise<Move[]> {
    const { top, isFlushed, touched } = this.#options;
    const made: Move[] = [];
    const changed = new Set<Folder>();
    for (const run of runs(batch)) {
      const { directory } = run[0]!.place;
      if (!directory.folder) continue; // it could not be made: its files fail when they come
      const from = joinNames(top, splitName(run[0]!.from.name).directory);
      const results = await directory.folder.adopt(from, run.map((move) => this.#toAdopt(move)));
      made.push(...run.filter((_, index) => !(results[index] instanceof AppError)));
      changed.add(directory.folder);
      touched.add(directory);
      await breathe();
    }
    if (isFlushed) { for (const folder of changed) await flushIfThere(folder); }
    return made;
  }

  /** Those of which the old name is gone. */
  async #removeOld(made: readonly Move[]): Promise<Move[]> {
    const folders = new FolderVisits(this.#options.tree, this.#options.top);
    const gone: Move[] = [];
    for (const run of runs(made)) {
      const folder = await folders.of(splitName(run[0]!.from.name).directory);
      const errors = await folder?.removeEach(run.map(({ from }) => from.entry)) ?? [];
      // Renamed, where nothing can have two names, it is not there any more.
      gone.push(...run.filter((_, index) => !errors[index] || errors[index].code === "not_found"));
      if (this.#options.isFlushed && folder) await flushIfThere(folder);
      await breathe();
    }
    return gone;
  }

  #toAdopt({ place: { told }, from: { entry } }: Move): ToAdopt {
    return { base: told.name, entry, facts: { mtimeMs: told.mtimeMs, ...bitsOf(told, this.#options.isExact) } };
  }

  #tell(made: readonly Move[]): void {
    if (made.length === 0) return;
    const { session, walk, ledger, onPlanned } = this.#options;
    const planned = made.map(({ place: { number }, from }) => ({ number, action: "move" as const, from: from.name }));
    session.send({ type: "plan", considered: walk.count, ...packPlan(planned) });
    ledger.tally.moved += made.length;
    for (const { place: { name, told }, from } of made) onPlanned?.("move", name, told, from.name);
  }
}

/** Folders by their names, the last one remembered. */
class FolderVisits {
  readonly #tree: FileTree;
  readonly #top: string;
  #last: { readonly name: string; readonly folder: Folder | undefined } | undefined;

  constructor(tree: FileTree, top: string) {
    this.#tree = tree;
    this.#top = top;
  }

  /** `undefined` for one that is not there any more. */
  async of(name: string): Promise<Folder | undefined> {
    if (this.#last?.name !== name) this.#last = { name, folder: await this.#open(name) };
    return this.#last.folder;
  }

  async #open(name: string): Promise<Folder | undefined> {
    try {
      return await this.#tree.folder(joinNames(this.#top, name));
    } catch (error) {
      if (error instanceof AppError) return undefined;
      throw error;
    }
  }
}

async function askSender(session: Session, places: readonly Place[]): Promise<Uint8Array[]> {
  session.send({ type: "probe", numbers: packIndices(places.map(({ number }) => number)) });
  const message = await session.receive();
  if (message.type === "error") throw peerError(message);
  if (message.type !== "proof") throw new AppError("order", `"${message.type}" came instead of digests`);
  const digests = splitDigests(message.digests);
  if (digests.length === places.length) return digests;
  throw new AppError("malformed", `The sender sent ${digests.length} digests of ${places.length} files`);
}

/** Throws when the sender has ended it. */
function verifySilent(session: Session): void {
  const message = session.poll();
  if (message?.type === "error") throw peerError(message);
  if (message) throw new AppError("order", `"${message.type}" came while files were compared`);
  if (session.hasEnded) throw new AppError("lost", "The sender closed the connection");
}

/** What is moved, flushed and told together. */
function* batches(moves: readonly Move[]): Generator<Move[]> {
  let batch: Move[] = [];
  let bytes = 0;
  for (const move of moves) {
    const needed = 3 * move.from.name.length + NUMBER_BYTES;
    if (bytes + needed > BATCH_BYTES) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(move);
    bytes += needed;
  }
  if (batch.length > 0) yield batch;
}

const BATCH_BYTES = TREE_MESSAGE_BYTES_MAX - 64;
const NUMBER_BYTES = 10;

/** So many are linked without a breath. */
const AT_ONCE = 64;

/** Runs of moves from one directory to another one, none too long. */
function* runs(moves: readonly Move[]): Generator<Move[]> {
  let run: Move[] = [];
  for (const move of moves) {
    const [first] = run;
    const isSame = first?.place.directory === move.place.directory &&
      splitName(first.from.name).directory === splitName(move.from.name).directory;
    if (first && (!isSame || run.length >= AT_ONCE)) {
      yield run;
      run = [];
    }
    run.push(move);
  }
  if (run.length > 0) yield run;
}
