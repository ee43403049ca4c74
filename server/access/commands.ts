/** `app link`, `app links` and `app revoke`: what the owner of a server hands out. They need no server that runs. */
import { type CommandInput, defineCommand } from "../../protocol/cli/command.ts";
import { formatTime } from "../../protocol/cli/format.ts";
import { usageError } from "../../protocol/cli/parse.ts";
import type { Terminal } from "../../protocol/cli/terminal.ts";
import { AppError } from "../../protocol/errors.ts";
import { escapeName, formatJson, quoteName } from "../../protocol/escape.ts";
import { translating } from "../../protocol/files/fs_errors.ts";
import { nameFault } from "../../protocol/names.ts";
import { formatLink } from "../../protocol/wire/link.ts";
import { openIdentity } from "../identity.ts";
import { type Right, RIGHTS } from "../policy.ts";
import { reachableAddresses } from "../start_lines.ts";
import { endOf, linkFile, type LinkRecord, type Place, readLinkFile } from "./link_file.ts";
import { addLink, labelFault, revokeLinks } from "./make_link.ts";

const DEFAULT_PORT = 6000;

const LINK_OPTIONS = [
  { name: "read", kind: "flag", help: "Let its holder list and get; that is so without any of these" },
  { name: "drop", kind: "flag", help: "Let its holder put new files, and see nothing" },
  { name: "write", kind: "flag", help: "Let its holder do what the server lets anybody do with files and countries" },
  { name: "admin", kind: "flag", help: "The same, and app status" },
  { name: "path", kind: "text", value: "NAME", help: "Confine it to a file or directory of DIR" },
  { name: "once", kind: "flag", help: "Good for one file that was got or put whole" },
  { name: "for", kind: "duration", value: "TIME", min: 1, help: "How long it is good, such as 90s, 30m, 12h, 7d" },
  { name: "name", kind: "text", value: "LABEL", help: "What app links and the log call it (default: made up)" },
  { name: "host", kind: "text", value: "HOST", help: "Where the server is reached (default: where it last was)" },
  { name: "port", kind: "count", value: "N", min: 1, max: 65_535, help: "Its port (default: the last one)" },
  { name: "qr", kind: "flag", help: "Draw it on the terminal, too, for a camera" },
] as const;

export const linkCommand = defineCommand({
  name: "link",
  summary: "Make a link that lets its holder in",
  words: "[DIR]",
  wordsMax: 1,
  options: LINK_OPTIONS,
  notes: ["The link is shown once and kept nowhere; whoever has it has what it allows. app revoke takes it away."],
  run: runLink,
});

async function runLink({ words, options, terminal }: CommandInput<typeof LINK_OPTIONS>): Promise<number> {
  const directory = words[0] ?? ".";
  const root = realDirectory(directory);
  const right = rightOf(options);
  const path = pathOf(root, options.path, right, terminal);
  const fault = options.name === undefined ? undefined : labelFault(options.name);
  if (fault) throw usageError(linkCommand, `Cannot use --name ${JSON.stringify(options.name)}: ${fault}`);
  const file = linkFile();
  const place = placeOf(readLinkFile(file).places[root], options, terminal);
  const key = place.key ?? (await openIdentity()).key;
  const plan = { label: options.name, right, path: path.replace(/\/$/, ""), root, forMs: options.for };
  const { secret, label } = await addLink(file, { ...plan, isOnce: options.once });
  const link = formatLink({ host: place.host, port: place.port, path, key, secret });
  terminal.result(link);
  if (options.name === undefined) terminal.note(`app revoke ${label} takes it away\n`);
  if (options.qr) {
    const { drawQr } = await import("./qr.ts");
    terminal.note(await drawQr(link, terminal.hasColor));
  }
  return 0;
}

function rightOf(options: Readonly<Record<Right, boolean>>): Right {
  const [right = "read", other] = (Object.keys(RIGHTS) as Right[]).filter((name) => options[name]);
  if (other === undefined) return right;
  throw usageError(linkCommand, `Both --${right} and --${other} were given`, "A link has one of them");
}

function realDirectory(directory: string): string {
  const root = translating("make a link for", directory, () => Deno.realPathSync(directory));
  if (Deno.statSync(root).isDirectory) return root;
  throw new AppError("not_a_directory", `Cannot make a link for ${quoteName(directory)}: it is not a directory`, {
    advice: "Name the directory that is shared, and say --path for what is in it",
  });
}

/** As a link has it: a directory has "/" behind it. What can be put may not be there yet. */
function pathOf(root: string, name: string | undefined, right: Right, terminal: Terminal): string {
  if (name === undefined) return "";
  const path = name.replace(/\/+$/, "");
  const fault = nameFault(path);
  if (fault) throw usageError(linkCommand, `Cannot use --path ${JSON.stringify(name)}: ${fault}`, "Name it below DIR");
  const info = statIfThere(`${root}/${path}`);
  if (info?.isFile) return path;
  if (!info && right === "read") terminal.note(`Nothing is there under ${quoteName(path)} yet\n`);
  return `${path}/`;
}

function statIfThere(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch {
    return undefined; // whatever is wrong with it is told to who uses the link
  }
}

function placeOf(
  known: Place | undefined,
  options: { readonly host: string | undefined; readonly port: number | undefined },
  terminal: Terminal,
): { host: string; port: number; key?: string } {
  const host = options.host ?? known?.host ?? firstAddress();
  const port = options.port ?? known?.port ?? DEFAULT_PORT;
  const isGuessed = !known && (options.host === undefined || options.port === undefined);
  if (!/^([A-Za-z0-9._-]+|[0-9A-Fa-f:.]+)$/.test(host)) {
    throw usageError(linkCommand, `Cannot use --host ${JSON.stringify(host)}: it is neither a name nor an address`);
  }
  if (isGuessed) terminal.note(`No server of that directory was started yet: the link says ${host} port ${port}\n`);
  return { host, port, ...(known ? { key: known.key } : {}) };
}

function firstAddress(): string {
  const [address] = reachableAddresses({ address: "0.0.0.0", interfaces: Deno.networkInterfaces() });
  if (address !== undefined) return address;
  throw usageError(linkCommand, "This machine has no address that others could reach", "Say --host HOST");
}

const LINKS_OPTIONS = [
  { name: "json", kind: "flag", help: "One JSON object a line on stdout" },
] as const;

export const linksCommand = defineCommand({
  name: "links",
  summary: "Show the links that were made",
  words: "",
  wordsMax: 0,
  options: LINKS_OPTIONS,
  notes: ["Those that are good for nothing any more are shown for a week."],
  run: runLinks,
});

function runLinks({ options, terminal }: CommandInput<typeof LINKS_OPTIONS>): Promise<number> {
  const { links } = readLinkFile(linkFile());
  if (options.json) { for (const link of links) terminal.result(formatJson(eventOf(link))); }
  else if (links.length > 0) tableOf(links).forEach((line) => terminal.result(line));
  else terminal.note("There are none; app link makes one\n");
  return Promise.resolve(0);
}

function stateOf(link: LinkRecord): string {
  return endOf(link, Date.now())?.state ?? "good";
}

/** Everything that is known of it but what could help to guess it. */
function eventOf(link: LinkRecord) {
  const { label, right, path, root, createdMs, expiresMs, isOnce = false, boundTo } = link;
  const time = (ms: number | undefined) => ms === undefined ? undefined : new Date(ms).toISOString();
  const facts = { event: "link", label, state: stateOf(link), right, root, path, isOnce, boundTo };
  return { ...facts, isOfStart: link.start !== undefined, created: time(createdMs), expires: time(expiresMs) };
}

function tableOf(links: readonly LinkRecord[]): string[] {
  const rows = [["LABEL", "STATE", "RIGHT", "CREATED", "EXPIRES", "FOR"], ...links.map(rowOf)];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ").trimEnd());
}

function rowOf(link: LinkRecord): string[] {
  const { label, right, root, path, createdMs, expiresMs, isOnce, start } = link;
  const expires = start ? "with its server" : expiresMs === undefined ? "-" : formatTime(expiresMs);
  const where = escapeName(path === "" ? root : `${root}/${path}`);
  return [label, stateOf(link), right + (isOnce ? ", once" : ""), formatTime(createdMs), expires, where];
}

export const revokeCommand = defineCommand({
  name: "revoke",
  summary: "Take links away, and end what is under way with them",
  words: "LABEL...",
  wordsMax: Infinity,
  options: [],
  async run({ words, terminal }) {
    if (words.length === 0) throw usageError(revokeCommand, "LABEL is missing", "See them with: app links");
    await revokeLinks(linkFile(), words);
    for (const label of new Set(words)) terminal.result(`${label} revoked.`);
    return 0;
  },
});
