/** Watchers of the system that tell what a test says. */
import { LocalTree } from "../../protocol/files/local_tree.ts";
import { LocalWatch, type OpenWatcher } from "../../protocol/files/local_watch.ts";
import { FILE_SYSTEM } from "../../protocol/files/file_system.ts";

export class FakeWatcher implements AsyncIterable<Deno.FsEvent> {
  readonly paths: readonly string[];
  isClosed = false;
  readonly #events: Deno.FsEvent[] = [];
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(paths: readonly string[]) {
    this.paths = paths;
  }

  tell(kind: Deno.FsEvent["kind"], ...paths: string[]): void {
    this.#push({ kind, paths });
  }

  /** Events were lost, and it says so. */
  lose(): void {
    this.#push({ kind: "other", paths: [], flag: "rescan" });
  }

  /** Waits until all that was told is heard. */
  async read(): Promise<void> {
    while (this.#events.length > 0) await Promise.resolve();
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  }

  fail(): void {
    this.#failure = new Error("it broke");
    this.#wake?.();
  }

  close(): void {
    this.isClosed = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Deno.FsEvent> {
    while (!this.isClosed) {
      if (this.#failure) throw this.#failure;
      const event = this.#events.shift();
      if (event) yield event;
      else await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  #push(event: Deno.FsEvent): void {
    this.#events.push(event);
    this.#wake?.();
  }
}

/** All watchers that were opened, the last one last; `refusing` is what the system says instead. */
export class FakeSystem {
  readonly watchers: FakeWatcher[] = [];
  refusing: Error | undefined;
  /** Called before each opening. */
  onOpen = () => {};

  readonly open: OpenWatcher = (paths) => {
    const { refusing } = this;
    this.onOpen();
    if (refusing) throw refusing;
    const watcher = new FakeWatcher(paths);
    this.watchers.push(watcher);
    return watcher;
  };

  get last(): FakeWatcher {
    return this.watchers.at(-1)!;
  }

  get openOnes(): number {
    return this.watchers.filter(({ isClosed }) => !isClosed).length;
  }

  /** A real tree with the watchers of this system. */
  tree(root: string): LocalTree {
    const tree = new LocalTree(root);
    tree.watch = (onChange) => Promise.resolve(new LocalWatch(FILE_SYSTEM, root, onChange, { open: this.open }));
    return tree;
  }
}
