/**
 * The program: a command line in, an exit code out. The only place with `Deno.args`, signals and the exit.
 *
 * The first SIGINT or SIGTERM aborts the command, which then ends in order; a second one ends the process at once.
 */
import configuration from "./deno.json" with { type: "json" };
import { CLIENT_COMMANDS } from "./client/commands/mod.ts";
import { Report } from "./client/report.ts";
import type { Command, CommandTable, Interruption } from "./protocol/cli/command.ts";
import { formatCommandHelp, formatProgramHelp } from "./protocol/cli/help.ts";
import { parseLine } from "./protocol/cli/parse.ts";
import { didYouMean } from "./protocol/cli/suggest.ts";
import { ClosedPipe, processTerminal, type Terminal } from "./protocol/cli/terminal.ts";
import { AppError, ERRORS, toAppError } from "./protocol/errors.ts";

const COMMANDS: CommandTable = {
  serve: async () => (await import("./server/command.ts")).serveCommand,
  link: async () => (await import("./server/access/commands.ts")).linkCommand,
  links: async () => (await import("./server/access/commands.ts")).linksCommand,
  revoke: async () => (await import("./server/access/commands.ts")).revokeCommand,
  identity: async () => (await import("./server/identity_command.ts")).identityCommand,
  ...CLIENT_COMMANDS,
};

/** All commands, in the order in which help shows them. */
export function loadCommands(): Promise<Command[]> {
  return Promise.all(Object.values(COMMANDS).map((load) => load()));
}

/** Runs one command line; resolves to the exit code. */
export async function main(args: readonly string[], terminal: Terminal, interruption: Interruption): Promise<number> {
  try {
    return await dispatch(args, terminal, interruption);
  } catch (cause) {
    if (cause instanceof ClosedPipe) return 0;
    const error = interruption.isAborted() ? interrupted() : toAppError(cause, "A defect of app");
    if (error.code === "usage") error.advice = error.advice.replace("app --help", helpCommandFor(args[0]));
    new Report(terminal, { json: args.includes("--json"), quiet: false }).error(error);
    if (error.code === "internal" && error.by === "us") terminal.note(`${(cause as Error).stack ?? cause}\n`);
    return error.exit;
  }
}

async function dispatch(args: readonly string[], terminal: Terminal, interruption: Interruption): Promise<number> {
  const { version } = configuration;
  const [name, ...rest] = args;
  if (name === "--version" || name === "-V") {
    terminal.result(`app ${version}`);
    return 0;
  }
  if (name === undefined || name === "--help" || name === "-h" || (name === "help" && rest.length === 0)) {
    terminal.result(formatProgramHelp(await loadCommands(), version));
    return name === undefined ? ERRORS.usage.exit : 0;
  }
  if (name === "help") return await dispatch([rest[0]!, "--help"], terminal, interruption);
  const command = await (Object.hasOwn(COMMANDS, name) ? COMMANDS[name]!() : failUnknown(name));
  const { words, options, wantsHelp } = parseLine(command, rest);
  if (wantsHelp) {
    terminal.result(formatCommandHelp(command));
    return 0;
  }
  const input = { words, options: options as never, terminal, version };
  return await command.run({ ...input, interruption });
}

function failUnknown(name: string): never {
  const known = Object.keys(COMMANDS);
  throw new AppError("usage", `Unknown command ${JSON.stringify(name)}${didYouMean(name, known)}`);
}

function interrupted(): AppError {
  return new AppError("interrupted", "Interrupted");
}

function helpCommandFor(name: string | undefined): string {
  return name !== undefined && Object.hasOwn(COMMANDS, name) ? `app ${name} --help` : "app --help";
}

/**
 * Aborts on the first signal to end; a second one ends the process at once. Nothing is listened to before somebody asks
 * for `signal`, so that Ctrl-C at a question ends the process as it does everywhere.
 */
function interruptionBySignals(): Interruption {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) Deno.exit(ERRORS.interrupted.exit);
    controller.abort(interrupted());
  };
  let isListening = false;
  return {
    isAborted: () => controller.signal.aborted,
    signal() {
      if (isListening) return controller.signal;
      isListening = true;
      Deno.addSignalListener("SIGINT", onSignal);
      if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", onSignal);
      return controller.signal;
    },
  };
}

if (import.meta.main) {
  const exit = await main(Deno.args, processTerminal(), interruptionBySignals());
  // Everything is closed by now. A lock that was waited for in vain (`protocol/files/lock.ts`) would hold us up.
  Deno.exit(exit);
}
