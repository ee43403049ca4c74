/** What nobody may see or touch: a tree beside the shared directory, and looks at it that tell whether anybody did. */
import { assert, assertEquals } from "./assert.ts";

/** Stands in every file of it, and nowhere else. */
export const SECRET = "the canary sings ".repeat(250);
/** Begins every name that is nowhere else. */
export const ONLY_OUTSIDE = "only-outside";

/** Every entry below `path`, links not followed: its name, and all that a change of it would change. */
export function snapshot(path: string): Record<string, string> {
  const looks: Record<string, string> = {};
  const walk = (directory: string) => {
    for (const { name, isFile, isSymlink } of Deno.readDirSync(directory)) {
      const at = `${directory}/${name}`;
      const { ino, nlink, mode, mtime, ctime, isDirectory } = Deno.lstatSync(at);
      const content = isFile ? Deno.readTextFileSync(at) : isSymlink ? Deno.readLinkSync(at) : "";
      looks[at.slice(path.length + 1)] = [ino, nlink, mode, mtime?.getTime(), ctime?.getTime(), content].join();
      if (isDirectory) walk(at);
    }
  };
  walk(path);
  return looks;
}

/** Below `path`, which is shared, nothing of the canary has arrived. */
export function assertNothingArrived(path: string): void {
  for (const [name, look] of Object.entries(snapshot(path))) {
    assert(!look.includes(SECRET) && !name.includes(ONLY_OUTSIDE), `${name} came from outside`);
  }
}

export class Canary {
  readonly path: string;
  readonly #before: Record<string, string>;

  /** Makes one at `path`, which has the directories `directories` and a file `file` in each. */
  constructor(path: string, directories: readonly string[] = ["", "/sub"]) {
    this.path = path;
    for (const directory of directories) {
      Deno.mkdirSync(path + directory, { recursive: true });
      Deno.mkdirSync(`${path}${directory}/${ONLY_OUTSIDE}-empty`);
      for (const name of ["file", "taken", `${ONLY_OUTSIDE}-file`, ".app-partial-0"]) {
        Deno.writeTextFileSync(`${path}${directory}/${name}`, SECRET);
      }
    }
    this.#before = snapshot(path);
  }

  assertUntouched(): void {
    assertEquals(snapshot(this.path), this.#before);
  }
}
