/** All commands that talk to a server, in the order in which help shows them. To add one, name it here. */
import type { CommandTable } from "../../protocol/cli/command.ts";

export const CLIENT_COMMANDS: CommandTable = {
  get: async () => (await import("./get.ts")).getCommand,
  put: async () => (await import("./put.ts")).putCommand,
  push: async () => (await import("./push.ts")).pushCommand,
  pull: async () => (await import("./push.ts")).pullCommand,
  undo: async () => (await import("./undo.ts")).undoCommand,
  show: async () => (await import("./show.ts")).showCommand,
  list: async () => (await import("./look.ts")).listCommand,
  stat: async () => (await import("./look.ts")).statCommand,
  digest: async () => (await import("./look.ts")).digestCommand,
  mkdir: async () => (await import("./change.ts")).mkdirCommand,
  move: async () => (await import("./change.ts")).moveCommand,
  remove: async () => (await import("./change.ts")).removeCommand,
  capital: async () => (await import("./countries.ts")).capitalCommand,
  population: async () => (await import("./countries.ts")).populationCommand,
  add: async () => (await import("./countries.ts")).addCommand,
  ping: async () => (await import("./ping.ts")).pingCommand,
  status: async () => (await import("./status.ts")).statusCommand,
  greet: async () => (await import("./greet.ts")).greetCommand,
  forget: async () => (await import("./forget.ts")).forgetCommand,
  shell: async () => (await import("./shell.ts")).shellCommand(CLIENT_COMMANDS),
};
