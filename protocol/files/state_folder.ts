/** Where the program keeps what it has to remember: a folder of the person's own, where their system has such things. */

/** `undefined` when the system does not say where the person's files are. */
export function stateFolder(os = Deno.build.os, env = (name: string) => Deno.env.get(name)): string | undefined {
  if (os === "windows") return inside(env("LOCALAPPDATA"), "\\app");
  if (os === "darwin") return inside(env("HOME"), "/Library/Application Support/app");
  return inside(env("XDG_STATE_HOME"), "/app") ?? inside(env("HOME"), "/.local/state/app");
}

function inside(folder: string | undefined, rest: string): string | undefined {
  return folder ? folder + rest : undefined;
}
