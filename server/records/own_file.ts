/** Where what a person adds to the built-in table is kept: a file of their own, where their system keeps such things. */

const NAME = "countries.csv";

/** `undefined` when the system does not say where the person's files are. */
export function ownFile(os = Deno.build.os, env = (name: string) => Deno.env.get(name)): string | undefined {
  if (os === "windows") return inside(env("LOCALAPPDATA"), `\\app\\${NAME}`);
  if (os === "darwin") return inside(env("HOME"), `/Library/Application Support/app/${NAME}`);
  return inside(env("XDG_STATE_HOME"), `/app/${NAME}`) ?? inside(env("HOME"), `/.local/state/app/${NAME}`);
}

function inside(folder: string | undefined, rest: string): string | undefined {
  return folder ? folder + rest : undefined;
}
