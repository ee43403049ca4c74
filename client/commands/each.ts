/** What commands on several names share: each is tried, each failure is told, and the exit code remembers the first. */
import type { CommandInput } from "../../protocol/cli/command.ts";
import { AppError } from "../../protocol/errors.ts";
import { validateName } from "../../protocol/names.ts";
import type { Client } from "../client.ts";
import { clientFor, type COMMON_OPTIONS, reportFor, targetFor } from "../options.ts";
import type { Report } from "../report.ts";
import { askFor, namesOf } from "../target.ts";

/** A command `HOST PORT NAME...`: does `work` for each name on the server; resolves to the exit code. */
export async function runOnNames(
  input: CommandInput<typeof COMMON_OPTIONS>,
  question: string,
  work: (name: string, client: Client, report: Report) => Promise<void>,
  namesIn = namesOf,
): Promise<number> {
  const taken = targetFor(input);
  const given = namesIn(taken);
  const names = given.length > 0 ? given : [askFor("NAME", question, input.terminal)];
  names.forEach(validateName);
  const report = reportFor(input);
  await using client = clientFor(taken.target, input, report);
  return await forEachName(names, report, (name) => work(name, client, report));
}

/**
 * Runs `work` for each of `names`, and resolves to the exit code; that of work which told its failures itself is what it
 * resolves to. A name that is refused does not keep the others from
 * being tried; a server that is gone, or a person who interrupts, does.
 */
export async function forEachName(
  names: readonly string[],
  report: Report,
  work: (name: string) => Promise<number | void>,
): Promise<number> {
  let exit = 0;
  for (const name of names) {
    try {
      const code = await work(name);
      exit ||= code ?? 0;
    } catch (error) {
      // A defect or a closed pipe is for `main.ts`, also when the exchange has wrapped it.
      if (!(error instanceof AppError)) throw error;
      if (error.code === "internal" && error.by === "us") throw error.cause ?? error;
      report.error(error, name);
      exit ||= error.exit;
      if (error.exit !== 1) break;
    }
  }
  return exit;
}
