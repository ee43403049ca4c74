/** All commands that talk to a server, in the order in which help shows them. To add one, name it here. */
import type { Command } from "../../protocol/cli/command.ts";
import { mkdirCommand, moveCommand, removeCommand } from "./change.ts";
import { getCommand } from "./get.ts";
import { digestCommand, listCommand, statCommand } from "./look.ts";
import { putCommand } from "./put.ts";

export const CLIENT_COMMANDS = [
  getCommand,
  putCommand,
  listCommand,
  statCommand,
  digestCommand,
  mkdirCommand,
  moveCommand,
  removeCommand,
] as unknown as readonly Command[];
