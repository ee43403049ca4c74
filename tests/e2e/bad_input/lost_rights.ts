/**
 * The program without the rights of root: as who runs the tests, or, where that is root, without the capabilities that
 * let root pass over permissions. It stays the same user then, so that it can still read its own sources.
 */

/** Words before the program that take those rights away; `undefined` where that is not possible. */
export const WITHOUT_RIGHTS: readonly string[] | undefined = wordsThatTakeRights();

/** Options of a test that needs them; without them it is skipped, says so, and is counted. */
export const NEEDS_LOST_RIGHTS: Readonly<Pick<Deno.TestDefinition, "ignore">> = { ignore: skips() };

function wordsThatTakeRights(): readonly string[] | undefined {
  if (Deno.build.os === "windows") return undefined;
  if (Deno.uid() !== 0) return [];
  const words = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"];
  return canRun([...words, "true"]) ? words : undefined;
}

function skips(): boolean {
  if (WITHOUT_RIGHTS) return false;
  console.log("skipped: the tests run with all rights here, and setpriv, which takes them away, cannot be run");
  return true;
}

/** Whether a command can be run here, and succeeds. */
export function canRun([command, ...args]: readonly string[]): boolean {
  try {
    return new Deno.Command(command!, { args, stdin: "null", stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false; // it is not there
  }
}

/** Gives `path` that mode until it is disposed of, so that the directory around it can be removed at the end. */
export function withMode(path: string, mode: number): Disposable {
  Deno.chmodSync(path, mode);
  return { [Symbol.dispose]: () => Deno.chmodSync(path, 0o700) };
}
