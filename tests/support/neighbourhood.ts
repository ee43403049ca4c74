/** A directory to share, and all around it what nobody may see or touch. */
import { assertEquals } from "./assert.ts";
import { Canary, SECRET, snapshot } from "./canary.ts";
import { everyString, lookAlikes } from "./trap_strings.ts";

/** Flushing to a disk would leave most of the time to waiting. */
export function memoryIfThere(): Deno.MakeTempOptions {
  try {
    return Deno.statSync("/dev/shm").isDirectory ? { dir: "/dev/shm" } : {};
  } catch {
    return {};
  }
}

export class Neighbourhood implements Disposable {
  readonly path: string;
  readonly root: string;
  readonly #canary: Canary;
  readonly #before: Record<string, string>;

  constructor() {
    this.path = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "app-test-", ...memoryIfThere() }));
    this.root = `${this.path}/share`;
    this.#canary = new Canary(`${this.path}/share2`, ["", "/dir"]);
    Deno.writeTextFileSync(`${this.path}/secret`, SECRET);
    Deno.mkdirSync(this.root);
    Deno.writeTextFileSync(`${this.root}/file`, "inside");
    this.#before = this.#around();
  }

  /** Names that would lead to what is around, if somebody took them for paths, and what looks like them. */
  traps(lengthMax: number): string[] {
    const names = [`${this.path}/secret`, `/${this.path}/secret`, `C:${this.path}/secret`, this.root, `${this.root}2`];
    for (
      const up of [
        "..",
        "../.",
        "./..",
        "a/../..",
        "file/../..",
        ".//..",
        "..//",
        "../share2/..",
        "%2e%2e",
        "..%2f..",
        "~/..",
      ]
    ) {
      for (
        const rest of ["", "/", "/secret", "/share2", "/share2/file", "\\secret", "%2fsecret", "/secret\0.txt", "/new"]
      ) {
        names.push(up + rest);
      }
    }
    names.push("2/file", "2", "\0", "file\0", "file\0/../../secret", ...lookAlikes("secret"));
    everyString(lengthMax, (name) => void names.push(name));
    return [...new Set(names)];
  }

  /** Nothing around was changed, and nothing is new there. */
  assertUntouched(): void {
    this.#canary.assertUntouched();
    assertEquals(this.#around(), this.#before);
  }

  /** All but the shared directory, and the time of the directory that it lies in. */
  #around(): Record<string, string> {
    const looks = Object.entries(snapshot(this.path)).filter(([name]) =>
      name !== "share" && !name.startsWith("share/")
    );
    return { ...Object.fromEntries(looks), ".": String(Deno.statSync(this.path).mtime?.getTime()) };
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}
