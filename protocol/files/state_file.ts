/** Where the program keeps what it remembers for a person: in a folder of their own, as their system has it. */

/** The path of the file `name` there; `undefined` when the system does not say where the person's files are. */
export function stateFile(
  name: string,
  os = Deno.build.os,
  env: (name: string) => string | undefined = (name) => Deno.env.get(name),
): string | undefined {
  if (os === "windows") return inside(env("LOCALAPPDATA"), `\\app\\${name}`);
  if (os === "darwin") return inside(env("HOME"), `/Library/Application Support/app/${name}`);
  return inside(env("XDG_STATE_HOME"), `/app/${name}`) ?? inside(env("HOME"), `/.local/state/app/${name}`);
}

function inside(folder: string | undefined, rest: string): string | undefined {
  return folder ? folder + rest : undefined;
}
