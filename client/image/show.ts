/** Drawing what was just stored. The file is here either way, so that it cannot be drawn is no failure. */
import { AppError } from "../../protocol/errors.ts";
import type { Terminal } from "../../protocol/cli/terminal.ts";
import type { LocalTree } from "../../protocol/files/local_tree.ts";
import type { Report } from "../report.ts";
import { drawImage, requireImageProtocol } from "./draw.ts";
import { readLocalImage } from "./local.ts";

/** Draws the file `name`, or says why not; without a `tree` it went into a pipe. */
export async function showOrSay(
  terminal: Terminal,
  report: Report,
  tree: LocalTree | undefined,
  name: string,
): Promise<void> {
  try {
    const protocol = requireImageProtocol(terminal, Deno.env.get);
    if (tree) await drawImage(terminal, protocol, await readLocalImage(tree, name));
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    report.note(error.message);
  }
}
