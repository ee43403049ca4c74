/** Drawing what was just stored. The file is here either way, so that it cannot be drawn is no failure. */
import { AppError } from "../../protocol/errors.ts";
import type { Terminal } from "../../protocol/cli/terminal.ts";
import type { LocalTree } from "../../protocol/files/local_tree.ts";
import type { Report } from "../report.ts";
import { drawImage } from "./draw.ts";
import { readLocalImage } from "./local.ts";
import { type ImageScreen, requireImageScreen } from "./screen.ts";

/** How `terminal` draws pictures; says why not, if it does not. */
export function findScreenOrSay(terminal: Terminal, report: Report): Promise<ImageScreen | undefined> {
  return orSay(report, () => requireImageScreen(terminal, Deno.env.get));
}

/** Draws the file `name`, or says why not. */
export async function drawOrSay(
  terminal: Terminal,
  report: Report,
  screen: ImageScreen,
  tree: LocalTree,
  name: string,
): Promise<void> {
  await orSay(report, async () => await drawImage(terminal, screen, await readLocalImage(tree, name)));
}

async function orSay<T>(report: Report, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    report.note(error.message);
  }
}
