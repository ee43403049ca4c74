/** `app forget`: a server's key that is remembered here, and is not its key any more. */
import { type CommandInput, defineCommand } from "../../protocol/cli/command.ts";
import { usageError } from "../../protocol/cli/parse.ts";
import { AppError } from "../../protocol/errors.ts";
import { KnownHostsFile } from "../known_hosts.ts";
import { LOOK_OPTIONS, reportFor } from "../options.ts";
import { formatTarget, takeTarget } from "../target.ts";

export const forgetCommand = defineCommand({
  name: "forget",
  summary: "Forget the key that is remembered of a server",
  words: "HOST PORT",
  wordsMax: 2,
  options: LOOK_OPTIONS,
  notes: ["Do so only when the server's owner told you that its key is a new one: what answers may be somebody else."],
  run,
});

async function run(input: CommandInput<typeof LOOK_OPTIONS>): Promise<number> {
  const { target, rest } = takeTarget(input.words, input.terminal);
  if (rest.length > 0) throw usageError({ name: "forget" }, `Unexpected ${JSON.stringify(rest[0])} behind the port`);
  const keys = await new KnownHostsFile().forget(target);
  if (keys.length === 0) {
    throw new AppError("not_found", `No key of ${formatTarget(target)} is remembered here`, {
      advice: "Give host and port as they were given when it was remembered",
    });
  }
  const { host, port } = target;
  reportFor(input).result(`The key of ${formatTarget(target)} is forgotten.`, { event: "forgotten", host, port, keys });
  return 0;
}
