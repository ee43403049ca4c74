/**
 * The program: a command line in, an exit code out. The only place with `Deno.args`, signals and the exit.
 *
 * The first SIGINT or SIGTERM aborts the command, which then ends in order; a second one ends the process at once.
 */
import configuration from "./deno.json" with { type: "json" };
import { CLIENT_COMMANDS } from "./client/commands/mod.ts";
import { Report } from "./client/report.ts";
import type { Command } from "./protocol/cli/command.ts";
import { formatCommandHelp, formatProgramHelp } from "./protocol/cli/help.ts";
import { parseLine } from "./protocol/cli/parse.ts";
import { didYouMean } from "./protocol/cli/suggest.ts";
import { ClosedPipe, processTerminal, type Terminal } from "./protocol/cli/terminal.ts";
import { AppError, ERRORS, toAppError } from "./protocol/errors.ts";
import { serveCommand } from "./server/command.ts";

const COMMANDS: readonly Command[] = [serveCommand as unknown as Command, ...CLIENT_COMMANDS];

/** Runs one command line; resolves to the exit code. */
export async function main(args: readonly string[], terminal: Terminal, signal: AbortSignal): Promise<number> {
  try {
    return await dispatch(args, terminal, signal);
  } catch (cause) {
    if (cause instanceof ClosedPipe) return 0;
    const error = signal.aborted ? interrupted() : toAppError(cause, "A defect of app");
    new Report(terminal, { json: args.includes("--json"), quiet: false }).error(error);
    if (error.code === "internal" && error.by === "us") terminal.note(`${(cause as Error).stack ?? cause}\n`);
    return error.exit;
  }
}

async function dispatch(args: readonly string[], terminal: Terminal, signal: AbortSignal): Promise<number> {
  const { version } = configuration;
  const [name, ...rest] = args;
  if (name === "--version" || name === "-V") {
    terminal.result(`app ${version}`);
    return 0;
  }
  if (name === undefined || name === "--help" || name === "-h" || (name === "help" && rest.length === 0)) {
    terminal.result(formatProgramHelp(COMMANDS, version));
    return name === undefined ? ERRORS.usage.exit : 0;
  }
  if (name === "help") return await dispatch([rest[0]!, "--help"], terminal, signal);
  const command = COMMANDS.find((candidate) => candidate.name === name) ?? failUnknown(name);
  const { words, options, wantsHelp } = parseLine(command, rest);
  if (wantsHelp) {
    terminal.result(formatCommandHelp(command));
    return 0;
  }
  return await command.run({ words, options: options as never, terminal, signal, version });
}

function failUnknown(name: string): never {
  const known = COMMANDS.map((command) => command.name);
  throw new AppError("usage", `Unknown command ${JSON.stringify(name)}${didYouMean(name, known)}`);
}

function interrupted(): AppError {
  return new AppError("interrupted", "Interrupted");
}

/** Aborts on the first signal to end; a second one ends the process at once. */
function abortOnSignals(): AbortSignal {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) Deno.exit(ERRORS.interrupted.exit);
    controller.abort(interrupted());
  };
  Deno.addSignalListener("SIGINT", onSignal);
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", onSignal);
  return controller.signal;
}

if (import.meta.main) {
  const exit = await main(Deno.args, processTerminal(), abortOnSignals());
  // Everything is closed by now. A lock that was waited for in vain (`protocol/files/lock.ts`) would hold us up.
  Deno.exit(exit);
}
