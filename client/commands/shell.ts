/** `app shell`: commands one after the other, over one connection. */
import { type Command, type CommandInput, type CommandTable, defineCommand } from "../../protocol/cli/command.ts";
import { usageError } from "../../protocol/cli/parse.ts";
import { COMPRESS_OPTION } from "../../protocol/compressions.ts";
import { stateFile } from "../../protocol/files/state_folder.ts";
import { SessionHolder } from "../session_holder.ts";
import { clientFor, LOOK_OPTIONS, reportFor, targetFor } from "../options.ts";
import { History } from "../shell/history.ts";
import { PipedLines, TypedLines } from "../shell/lines.ts";
import { Shell } from "../shell/shell.ts";
import { formatTarget } from "../target.ts";

const OPTIONS = [COMPRESS_OPTION, ...LOOK_OPTIONS] as const;

const NOT_INSIDE = new Set(["shell", "forget"]);

/** The command, for a shell that has the commands of `table`. */
export function shellCommand(table: CommandTable): Command {
  return defineCommand({
    name: "shell",
    summary: "Enter commands one after the other, over one connection",
    words: "HOST PORT",
    wordsMax: 2,
    options: OPTIONS,
    notes: [
      "The commands of app, without HOST PORT; on a terminal with history and completion, else a line each from stdin.",
      "From a pipe, the exit code is that of the last command that failed.",
    ],
    run: (input) => run(input, table),
  });
}

async function run(input: CommandInput<typeof OPTIONS>, table: CommandTable): Promise<number> {
  const { terminal, interruption } = input;
  const { target, rest, path } = targetFor(input);
  if (rest.length > 0) throw usageError({ name: "shell" }, `Unexpected ${JSON.stringify(rest[0])} behind the port`);
  const commands = await Promise.all(
    Object.entries(table).filter(([name]) => !NOT_INSIDE.has(name)).map(([, load]) => load()),
  );
  const report = reportFor(input);
  await using holder = new SessionHolder();
  await using client = clientFor(target, { ...input, holder }, report);
  await client.attempt(() => Promise.resolve()); // a wrong address is told before anybody types
  const shell = new Shell({ commands, input, target, path, holder, report });
  if (!terminal.canAsk) {
    using lines = new PipedLines(Deno.stdin.readable);
    return await shell.run(lines, interruption.signal());
  }
  report.note(`Connected to ${formatTarget(target)}; help shows the commands, Ctrl-D ends`);
  const history = new History(stateFile("shell_history"));
  using lines = await TypedLines.open("app> ", (text) => terminal.note(text), () => shell.interrupt(), history);
  await shell.run(lines, interruption.signal());
  return 0;
}
