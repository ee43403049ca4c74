/**
 * The tree of files that a directory holds: names in, verified bytes out, nothing half ever visible.
 *
 * Joins the parts: `resolve.ts` (names to paths), `local_source.ts` (reading), `local_draft.ts` (writing), `publish.ts`
 * (making visible), `scan.ts` (walks). Invariants: nothing outside the root is opened, shown, made, changed or removed,
 * whatever is exchanged meanwhile (`here.ts` says how, and what remains); nothing of ours is shown.
 */
import { AppError, hasCode } from "../errors.ts";
import { quoteName } from "../escape.ts";
import { ANY_NAMES, type NameRules } from "../name_rules.ts";
import { splitName, validateName } from "../names.ts";
import { FILE_SYSTEM, type FileSystem, flushDirectory, lstatIfThere } from "./file_system.ts";
import { translated, translating } from "./fs_errors.ts";
import type { Here } from "./here.ts";
import { holdDirectory } from "./held_directory.ts";
import { type DraftPlan, isResumable, LocalDraft, openDraft, openScratchDraft } from "./local_draft.ts";
import { LocalFolder } from "./local_folder.ts";
import { LocalSource } from "./local_source.ts";
import { LocalTrash, type LocalTrashOptions } from "./local_trash.ts";
import { LocalWatch } from "./local_watch.ts";
import { probeNames } from "./name_probe.ts";
import { isComparable } from "./old_file.ts";
import { openFound } from "./open_found.ts";
import { type AtPlace, openOwn, readNote, removePublishedPartial, type SourceNote } from "./partial.ts";
import { join } from "./paths.ts";
import { publish, refuseToReplace, taken } from "./publish.ts";
import { handleOf, loadOpenToRead } from "./read_handle.ts";
import { exchanged, type Place, Resolver } from "./resolve.ts";
import { entryOf, listDirectory, type Measure, measure, sweepPartials, type Walked } from "./scan.ts";
import type {
  Batch,
  Draft,
  Entry,
  FileFacts,
  FileTree,
  Folder,
  IfTaken,
  Room,
  Source,
  Space,
  TreeWatch,
  Usage,
} from "./tree.ts";
import { isOfNetwork, measureUsage, spaceAt } from "./usage.ts";

export class LocalTree implements FileTree {
  readonly trash: LocalTrash;
  readonly #fs: FileSystem;
  readonly #resolver: Resolver;
  readonly #trashOptions: LocalTrashOptions | undefined;

  /** Throws `not_found` or `not_a_directory` if `root` cannot be shared. */
  constructor(root: string | Resolver, fs: FileSystem = FILE_SYSTEM, trash?: LocalTrashOptions) {
    this.#fs = fs;
    this.#resolver = typeof root === "string" ? new Resolver(root, fs) : root;
    this.#trashOptions = trash;
    this.trash = new LocalTrash(fs, this.#resolver, async () => (await this.usage()).bytes, trash);
  }

  confinedTo(name: string): LocalTree {
    return new LocalTree(this.#resolver.confinedTo(name), this.#fs, {
      ...this.#trashOptions,
      underWay: this.trash.underWay,
    });
  }

  /** Throws `denied` if the top cannot be listed: shared, it would look like an empty directory. */
  verifyListable(): void {
    if (Deno.build.os === "windows") return; // directories cannot be opened there
    translating("share", this.#resolver.root, () => this.#fs.openSync(this.#resolver.root, { read: true }).close());
  }

  /** How many files there are and how large they are; partials are not counted. */
  measure(signal?: AbortSignal): Promise<Measure> {
    return measure(this.#walked(this.#resolver.root, ""), { signal });
  }

  async usage(signal?: AbortSignal): Promise<Usage> {
    const usage = await measureUsage(this.#walked(this.#resolver.root, ""), signal);
    const { bytes, files } = await this.trash.measure();
    return { ...usage, bytes: usage.bytes + bytes, files: usage.files + files };
  }

  /** By the directory, since another disk can be mounted there. */
  space(directory: string): Space | undefined | Promise<Space | undefined> {
    try {
      return spaceAt(this.#resolver.find(directory, "look at", ({ here, base }) => join(here.path, base)));
    } catch (error) {
      if (error instanceof AppError) return spaceAt(this.#resolver.root);
      throw error;
    }
  }

  async watch(onChange: (name: string) => void): Promise<TreeWatch> {
    const { root } = this.#resolver;
    return new LocalWatch(this.#fs, root, onChange, { hearsAll: !await isOfNetwork(root) });
  }

  async room(directory: string): Promise<Room> {
    const space = await this.space(directory);
    return { bytes: space?.freeBytes, files: space?.freeNames };
  }

  nameRules(directory: string): NameRules {
    const look = ({ here, base }: { here: Here; base: string }) => directory === "" ? here.path : join(here.path, base);
    try {
      const path = this.#resolver.find(directory, "look at", look);
      const probe = (here: Here) => probeNames(this.#fs, here);
      return translating("look at", directory, () => this.#resolver.inside(path, directory, probe));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return directory === "" ? ANY_NAMES : this.nameRules(splitName(directory).directory);
    }
  }

  /** Removes partials that nobody went on with for seven days, and old runs of the trash; how many. */
  async sweep(signal?: AbortSignal): Promise<number> {
    const partials = await sweepPartials(this.#walked(this.#resolver.root, ""), signal);
    return signal?.aborted ? partials : partials + await this.trash.sweep();
  }

  /** Of which source there is a partial under `name`, if there is one. */
  partialOf(name: string): SourceNote | undefined {
    return this.#unlessNotFound(() =>
      this.#resolver.atPlace(name, "resume", (here, place) => readNote(this.#fs, here, place))
    );
  }

  /** Whether there is a file under that name that is worth comparing with one that replaces it. */
  hasComparable(name: string): boolean {
    return this.#unlessNotFound(() =>
      this.#resolver.atPlace(name, "look for", (here, { base }) => {
        const info = lstatIfThere(this.#fs, here.at(base));
        return info !== undefined && isComparable(info);
      })
    ) ?? false;
  }

  /** Whether something has that name. What a crash left of its publishing goes away: no transfer will come for it. */
  has(name: string): boolean {
    return this.#unlessNotFound(() =>
      this.#resolver.atPlace(name, "look for", (here, place) => {
        if (!lstatIfThere(this.#fs, here.at(place.base))) return false;
        removePublishedPartial(this.#fs, here, place);
        return true;
      })
    ) ?? false;
  }

  folder(name: string): Folder {
    return LocalFolder.find(this.#fs, this.#resolver, name);
  }

  /** The same; `undefined` for anything else, and for nothing. */
  folderIfThere(name: string): Folder | undefined {
    try {
      return this.folder(name);
    } catch (error) {
      if (error instanceof AppError) return undefined;
      throw error;
    }
  }

  async *list(directory: string, { all, namesMax }: { all: boolean; namesMax?: number }): AsyncGenerator<Batch> {
    const path = this.#resolver.find(directory, "list", ({ here, base, info }) => {
      if (info.isDirectory) return directory === "" ? here.path : join(here.path, base);
      throw new AppError("not_a_directory", `Cannot list ${quoteName(directory)}: it is not a directory`);
    });
    try {
      yield* listDirectory(this.#walked(path, directory), { all, namesMax });
    } catch (error) {
      throw translated("list", directory, error);
    }
  }

  stat(name: string): Entry {
    return this.#resolver.find(name, "look at", ({ info }) => entryOf(name, info));
  }

  async open(name: string): Promise<Source> {
    validateName(name);
    await loadOpenToRead();
    return this.#resolver.find(name, "open", (found) => openFound(this.#fs, found, name));
  }

  /** Opens a file that was stored here just now, so that it is ours to write; spares what `open` has to load first. */
  openStored(name: string): Source {
    validateName(name);
    return this.#resolver.find(name, "open", ({ here, base }) => {
      const file = openOwn(this.#fs, here.at(base));
      if (!file || file === "other") throw exchanged(name);
      const handle = handleOf(file);
      const opened = handle.stat();
      return new LocalSource(handle, entryOf(name, opened), opened);
    });
  }

  async create(name: string, facts: FileFacts, ifTaken: IfTaken): Promise<Draft> {
    try {
      const begun = this.#resolver.atNewPlace(name, "store", (here, place) => {
        this.#refuseTaken(here, place, ifTaken);
        const plan = { place, atPlace: this.#backTo(place), facts, ifTaken };
        return isResumable(facts) ? plan : openScratchDraft(this.#fs, plan, here);
      });
      if (begun instanceof LocalDraft) return begun;
      const draft = await openDraft(this.#fs, begun);
      await this.#lookAgain(draft, begun);
      return draft;
    } catch (error) {
      throw translated("store", name, error);
    }
  }

  makeDirectory(name: string): void {
    this.#resolver.makeDirectories(name, "make");
  }

  move(from: string, to: string, ifTaken: IfTaken): string {
    const source = this.#resolver.atPlace(from, "move", (here, place) => {
      const { isDirectory } = this.#fs.lstatSync(here.at(place.base));
      if (!isDirectory || !to.startsWith(`${from}/`)) return place;
      throw new AppError("bad_name", `Cannot move ${quoteName(from)} to ${quoteName(to)}: that is inside of it`);
    });
    const target = this.#resolver.atNewPlace(to, "move", (_, place) => place);
    return translating("move", from, () => {
      if (source.parent === target.parent) return this.#moveInto(target, (here) => here.at(source.base), ifTaken);
      using elsewhere = this.#resolver.atSamePlace(source, (here) => holdDirectory(this.#fs, here));
      const name = this.#moveInto(target, () => elsewhere.at(source.base), ifTaken);
      elsewhere.flush();
      return name;
    });
  }

  remove(name: string): void {
    this.#resolver.atPlace(name, "remove", (here, { base }) => {
      this.#fs.removeSync(here.at(base));
      flushDirectory(this.#fs, here);
    });
  }

  #walked(path: string, name: string): Walked {
    return { fs: this.#fs, resolver: this.#resolver, path, name };
  }

  #backTo(place: Place): AtPlace {
    return (work) => this.#resolver.atSamePlace(place, work);
  }

  #unlessNotFound<T>(look: () => T): T | undefined {
    try {
      return look();
    } catch (error) {
      if (hasCode(error, "not_found")) return undefined; // not even its parents are there
      throw error;
    }
  }

  /** The writer before us may have published just before we got its lock. */
  async #lookAgain(draft: LocalDraft, { place, atPlace, ifTaken, facts }: DraftPlan): Promise<void> {
    try {
      const comparesOld = ifTaken === "replace" && facts.comparesOld;
      if (comparesOld) await loadOpenToRead();
      atPlace((here) => {
        this.#refuseTaken(here, place, ifTaken);
        if (comparesOld) draft.openOld(here);
      });
    } catch (error) {
      await (hasCode(error, "exists") ? draft.discard() : draft.suspend());
      throw error;
    }
  }

  #refuseTaken(here: Here, place: Place, ifTaken: IfTaken): void {
    if (ifTaken === "rename") return;
    if (ifTaken === "replace") refuseToReplace(this.#fs, here, place);
    else if (lstatIfThere(this.#fs, here.at(place.base))) {
      removePublishedPartial(this.#fs, here, place);
      throw taken(place.name);
    }
  }

  /** Gives what stands under the path that `pathOf` tells the name of `place`; the name that it got. */
  #moveInto(place: Place, pathOf: (here: Here) => string, ifTaken: IfTaken): string {
    return this.#resolver.atSamePlace(place, (here) => {
      const path = pathOf(here);
      const info = this.#fs.lstatSync(path);
      const name = info.isDirectory
        ? this.#moveDirectory(here, path, place)
        : this.#moveFile(here, path, info, place, ifTaken);
      flushDirectory(this.#fs, here);
      return name;
    });
  }

  /** A move that was stopped in its middle leaves both names; then only the old one has to go. */
  #moveFile(here: Here, path: string, info: Deno.FileInfo, place: Place, ifTaken: IfTaken): string {
    const there = lstatIfThere(this.#fs, here.at(place.base));
    const isSameFile = there?.ino === info.ino && there.dev === info.dev && (info.nlink ?? 1) > 1;
    if (isSameFile && path !== here.at(place.base)) {
      this.#fs.removeSync(path);
      return place.name;
    }
    this.#refuseTaken(here, place, ifTaken);
    return publish(this.#fs, here, path, place, ifTaken);
  }

  /** A directory has no hard links, and a rename replaces only an empty one: so any other taken name is refused. */
  #moveDirectory(here: Here, path: string, place: Place): string {
    if (lstatIfThere(this.#fs, here.at(place.base))) throw taken(place.name);
    this.#fs.renameSync(path, here.at(place.base));
    return place.name;
  }
}
