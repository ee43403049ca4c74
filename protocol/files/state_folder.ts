/** Where this program keeps what is its own: a folder of the person's, where their system keeps such things. */
import { AppError } from "../errors.ts";
import { translating } from "./fs_errors.ts";

const SEPARATOR = Deno.build.os === "windows" ? "\\" : "/";

/** `undefined` when the system does not say where the person's files are. */
export function stateFolder(os = Deno.build.os, env = (name: string) => Deno.env.get(name)): string | undefined {
  if (os === "windows") return inside(env("LOCALAPPDATA"), "\\app");
  if (os === "darwin") return inside(env("HOME"), "/Library/Application Support/app");
  return inside(env("XDG_STATE_HOME"), "/app") ?? inside(env("HOME"), "/.local/state/app");
}

/** The path of the file `name` in the folder, which is made if it is missing; nobody else may look into a new one. */
export function stateFile(name: string): string {
  const folder = stateFolder();
  if (folder === undefined) {
    throw new AppError("failed", `Cannot tell where to keep ${name}: the system names no folder of yours`, {
      advice: "Set XDG_STATE_HOME or HOME",
    });
  }
  translating("make", folder, () => Deno.mkdirSync(folder, { recursive: true, mode: 0o700 }));
  return folder + SEPARATOR + name;
}

function inside(folder: string | undefined, rest: string): string | undefined {
  return folder ? folder + rest : undefined;
}
