/** `app identity`: the key that clients know this machine's servers by. */
import { type CommandInput, defineCommand } from "../protocol/cli/command.ts";
import { formatJson } from "../protocol/escape.ts";
import { stateFolder } from "../protocol/files/state_folder.ts";
import { linkFile } from "./access/link_file.ts";
import { noteRenewal } from "./access/make_link.ts";
import { findKey, identityFile, openIdentity, renewIdentity } from "./identity.ts";

/** Of every command that has to do with the identity. */
export const IDENTITY_OPTION = {
  name: "identity",
  kind: "text",
  value: "FILE",
  help: "The server's key (default: a file of your own, made at the first start)",
} as const;

const OPTIONS = [
  { name: "renew", kind: "flag", help: "Make a new key: links and clients that know the old one refuse it" },
  IDENTITY_OPTION,
  { name: "json", kind: "flag", help: "One JSON object a line on stdout" },
] as const;

export const identityCommand = defineCommand({
  name: "identity",
  summary: "Show the key that clients know your servers by",
  words: "",
  wordsMax: 0,
  options: OPTIONS,
  notes: ["A server that runs keeps the key that it started with."],
  run,
});

async function run({ options, terminal }: CommandInput<typeof OPTIONS>): Promise<number> {
  const file = options.identity ?? identityFile();
  const old = options.renew ? await findKey(file) : undefined;
  const { key, fingerprint } = options.renew ? await renewIdentity(file) : await openIdentity(file);
  if (options.json) terminal.result(formatJson({ event: "identity", key, fingerprint, file }));
  else [`Key: ${key}`, `Fingerprint: ${fingerprint}`].forEach((line) => terminal.result(line));
  if (options.renew && !options.json) terminal.note(RENEWED);
  if (old !== undefined && stateFolder() !== undefined) await noteRenewal(linkFile(), old, key);
  return 0;
}

const RENEWED =
  "This key is new. Links that were handed out have the old one and do not work any more: make new ones.\n" +
  "Clients that remember the old one refuse this server until they run: app forget HOST PORT\n" +
  "Servers that run now go on with the old one until they are started again.\n";
