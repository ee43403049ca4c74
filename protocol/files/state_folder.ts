/** Where the program keeps what it remembers for a person: in a folder of their own, as their system has it. */

type Env = (name: string) => string | undefined;

const OWN_ENV: Env = (name) => Deno.env.get(name);

/** `undefined` when the system does not say where the person's files are. */
export function stateFolder(os = Deno.build.os, env = OWN_ENV): string | undefined {
  if (os === "windows") return inside(env("LOCALAPPDATA"), "\\app");
  if (os === "darwin") return inside(env("HOME"), "/Library/Application Support/app");
  return inside(env("XDG_STATE_HOME"), "/app") ?? inside(env("HOME"), "/.local/state/app");
}

/** The path of the file `name` there. */
export function stateFile(name: string, os = Deno.build.os, env = OWN_ENV): string | undefined {
  return inside(stateFolder(os, env), (os === "windows" ? "\\" : "/") + name);
}

function inside(folder: string | undefined, rest: string): string | undefined {
  return folder ? folder + rest : undefined;
}
