/** Where what a person adds to the built-in table is kept: a file of their own, where their system keeps such things. */
import { stateFolder } from "../../protocol/files/state_folder.ts";

const NAME = "countries.csv";

/** `undefined` when the system does not say where the person's files are. */
export function ownFile(os = Deno.build.os, env = (name: string) => Deno.env.get(name)): string | undefined {
  const folder = stateFolder(os, env);
  return folder && `${folder}${os === "windows" ? "\\" : "/"}${NAME}`;
}
