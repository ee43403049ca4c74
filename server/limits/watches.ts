/** How many watches there are, and how many directories they watch: the system has room for some, for everybody in all. */
import { AppError } from "../../protocol/errors.ts";
import type { TreeWatch } from "../../protocol/files/tree.ts";
import type { ServerLimits } from "../../protocol/limits.ts";

type WatchLimits = Pick<ServerLimits, "watchesMax" | "watchedDirectoriesMax" | "watchedDirectoriesTotalMax">;

const ADVICE = "Try again later, or ask without --watch";

export class Watches {
  readonly #limits: WatchLimits;
  #open = 0;
  #directories = 0;

  constructor(limits: WatchLimits) {
    this.#limits = limits;
  }

  get open(): number {
    return this.#open;
  }

  get directories(): number {
    return this.#directories;
  }

  /** What `begin` begins, counted until it is disposed of. Throws `cannot_watch` for one too many. */
  async begin(begin: () => TreeWatch | Promise<TreeWatch>): Promise<TreeWatch> {
    if (this.#open >= this.#limits.watchesMax) {
      throw new AppError("cannot_watch", `Cannot watch: the server has all the watches it allows`, { advice: ADVICE });
    }
    this.#open++;
    try {
      return this.#counted(await begin());
    } catch (error) {
      this.#open--;
      throw error;
    }
  }

  #counted(watch: TreeWatch): TreeWatch {
    const { watchedDirectoriesMax, watchedDirectoriesTotalMax } = this.#limits;
    let own = 0;
    let isOver = false;
    return {
      directoriesMax: watchedDirectoriesMax,
      hearsAll: watch.hearsAll,
      get isDoubtful() {
        return watch.isDoubtful;
      },
      takeLost: () => watch.takeLost(),
      cover: async (directories) => {
        const others = this.#directories - own;
        if (directories.size > watchedDirectoriesTotalMax - others) {
          const message = "Cannot watch: the server watches as many directories as it may";
          throw new AppError("cannot_watch", message, { advice: ADVICE });
        }
        this.#directories = others + directories.size;
        own = directories.size;
        await watch.cover(directories);
      },
      [Symbol.dispose]: () => {
        if (isOver) return;
        isOver = true;
        this.#open--;
        this.#directories -= own;
        watch[Symbol.dispose]();
      },
    };
  }
}
