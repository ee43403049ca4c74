/** `app serve`. */
import { COMPRESS_OPTION } from "../protocol/compressions.ts";
import { type CommandInput, defineCommand, type OptionValues } from "../protocol/cli/command.ts";
import { usageError } from "../protocol/cli/parse.ts";
import type { Terminal } from "../protocol/cli/terminal.ts";
import { LocalTree } from "../protocol/files/local_tree.ts";
import type { Measure } from "../protocol/files/scan.ts";
import { stateFile } from "../protocol/files/state_folder.ts";
import { isOld, SERVED_FORMATS, type ServedFormat } from "../protocol/wire/detect.ts";
import { greetingNameFault, parseInteger } from "../protocol/wire/greeting.ts";
import { LIMIT_OPTIONS, limitsFrom } from "./limit_options.ts";
import { createLog, type Log, LOG_KINDS } from "./log.ts";
import { AppError } from "../protocol/errors.ts";
import { quoteName } from "../protocol/escape.ts";
import { translated, translating } from "../protocol/files/fs_errors.ts";
import { CsvStore } from "./records/csv_store.ts";
import { serve, SERVED_TRASHES } from "./server.ts";
import { openLinkKeeper } from "./access/link_keeper.ts";
import { openIdentity } from "./identity.ts";
import { IDENTITY_OPTION } from "./identity_command.ts";
import type { StrangerRights } from "./policy.ts";
import { formatStartLines, isLoopback } from "./start_lines.ts";

/** How long counting the files may hold up the start lines. */
const MEASURE_MAX_MS = 200;
const SWEEP_EVERY_MS = 24 * 3_600_000;

const OPTIONS = [
  { name: "root", kind: "text", value: "DIR", help: "The directory to share, instead of DIR (default: this one)" },
  {
    name: "address",
    short: "a",
    kind: "text",
    value: "IP",
    default: "127.0.0.1",
    help: "Where to listen; 0.0.0.0 or :: for everywhere",
  },
  {
    name: "port",
    short: "p",
    kind: "count",
    value: "N",
    default: 6000,
    max: 65_535,
    help: "The port; 0 picks a free one",
  },
  { name: "ask", kind: "flag", help: "Ask for the port on the terminal; an empty answer takes that of --port" },
  {
    name: "data",
    kind: "text",
    value: "FILE",
    help: "Countries as CSV: Country,Capital,Population (default: a table of 197)",
  },
  { name: "file", kind: "text", value: "FILE", hidden: true, help: "The old name of --data" },
  { name: "read-only", kind: "flag", help: "Take no changes at all" },
  { name: "allow-overwrite", kind: "flag", help: "Let clients replace files" },
  { name: "allow-remove", kind: "flag", help: "Let clients remove and move files and empty directories" },
  { name: "public", kind: "flag", help: "Let anybody read who reaches the port, without a link" },
  { name: "public-write", kind: "flag", help: "Let them put new files and countries, too" },
  { name: "closed", kind: "flag", help: "Ask for a link and encrypt on a loopback address, too" },
  { name: "no-link", kind: "flag", help: "Make no link at the start" },
  IDENTITY_OPTION,
  { name: "plain", kind: "flag", help: "Where connections are encrypted, serve those too that are not" },
  { name: "once", kind: "flag", help: "Stop after the first file that a client got" },
  {
    name: "wire",
    kind: "text",
    value: "LIST",
    help: `Formats: ${SERVED_FORMATS.join(",")} (default: all on this machine, app elsewhere)`,
  },
  { name: "name", kind: "text", value: "NAME", default: "app", help: "The name to greet with" },
  { name: "number", kind: "text", value: "N", default: "42", help: "The number to greet with" },
  {
    name: "close-on-out-of-range",
    kind: "flag",
    help: "Let a greeting with a number below 1 or above 100 stop the server",
  },
  {
    name: "trash",
    kind: "choice",
    choices: SERVED_TRASHES,
    default: "auto",
    help: "Keep what a push replaces or removes, if its client wants that",
  },
  COMPRESS_OPTION,
  { name: "log", kind: "choice", choices: LOG_KINDS, default: "text", help: "How requests are logged on stderr" },
  ...LIMIT_OPTIONS,
] as const;

export const serveCommand = defineCommand({
  name: "serve",
  summary: "Share a directory",
  words: "[DIR]",
  wordsMax: 1,
  options: OPTIONS,
  notes: ["Ctrl-C lets running transfers finish for 10 seconds; a second Ctrl-C does not."],
  run,
});

async function run({ words, options, terminal, interruption, version }: CommandInput<typeof OPTIONS>): Promise<number> {
  if (words[0] !== undefined && options.root !== undefined) {
    throw usageError(serveCommand, "Both DIR and --root were given", "Leave one of them out");
  }
  const root = words[0] ?? options.root ?? ".";
  if (root === "") throw usageError(serveCommand, 'Cannot share "": it is no directory', "Name one, or leave it out");
  const tree = new LocalTree(root);
  tree.verifyListable();
  const strangers = strangersOf(options);
  const isEncrypted = strangers !== "open" || options.identity !== undefined;
  const formats = formatsOf(options.wire, !isEncrypted);
  const log = createLog(options.log, (line) => terminal.note(line));
  const records = await openRecords(options.data ?? options.file, log);
  const port = options.ask ? askForPort(terminal, options.port) : options.port;
  const identity = isEncrypted ? await openIdentity(options.identity) : undefined;
  await using keeper = identity && openLinkKeeper({ tree, root, strangers, identity, log });
  await using server = serve({
    root: tree,
    records,
    strangers,
    ...(keeper ? { links: keeper.links } : {}),
    ...(identity ? { identity, plain: options.plain } : {}),
    formats,
    greeting: {
      name: greetingNameOf(options.name),
      number: integerOf(options.number),
      closeOnOutOfRange: options["close-on-out-of-range"],
    },
    address: options.address,
    port,
    readOnly: options["read-only"],
    allowOverwrite: options["allow-overwrite"],
    allowRemove: options["allow-remove"],
    once: options.once,
    log,
    agent: `app/${version}`,
    limits: limitsFrom(options),
    trash: options.trash,
    compress: options.compress,
  });
  interruption.signal().addEventListener("abort", () => void server.stop(), { once: true });
  const bound = { address: server.address, port: server.port, interfaces: Deno.networkInterfaces() };
  const lines = formatStartLines({
    ...bound,
    root,
    oldFormats: formats.filter(isOld),
    readOnly: options["read-only"],
    measure: await measureQuickly(tree),
    protection: await keeper?.announce(bound, { isPlainAllowed: options.plain, wantsLink: !options["no-link"] }),
  });
  terminal.result(lines.join("\n"));
  await sweepUntil(tree, server.finished);
  return 0;
}

/** What those may do who show no link: a server that only this machine reaches has no need of one. */
function strangersOf(options: OptionValues<typeof OPTIONS>): StrangerRights {
  if (options.public && options["public-write"]) {
    throw usageError(serveCommand, "Both --public and --public-write were given", "--public-write lets them read, too");
  }
  if (options["public-write"]) return "public-write";
  if (options.public) return "public";
  return isLoopback(options.address) && !options.closed ? "open" : "none";
}

function askForPort(terminal: Terminal, otherwise: number): number {
  if (!terminal.canAsk) throw usageError(serveCommand, "--ask needs a terminal", "Say --port N instead");
  const answer = terminal.ask("Enter desired port --> ")?.trim();
  if (answer === undefined) throw usageError(serveCommand, "No port was entered", "Say --port N instead");
  if (answer === "") return otherwise;
  if (/^\d{1,5}$/.test(answer) && Number(answer) <= 65_535) return Number(answer);
  throw usageError(serveCommand, `${JSON.stringify(answer)} is no port: it must be a number from 0 to 65535`);
}

/** A file that was named is read at once, so that what is wrong with it is told at the start. */
async function openRecords(file: string | undefined, log: Log): Promise<CsvStore> {
  const tell = (path: string, result: string, detail: string) =>
    log({
      time: new Date(),
      peer: "-",
      who: "-",
      request: "records",
      name: path,
      bytes: 0,
      durationMs: 0,
      result,
      detail,
    });
  const store = new CsvStore({
    file: file ?? stateFile("countries.csv"),
    isBuiltIn: file === undefined,
    onFault: (path, { line, column, reason }) => tell(path, "bad_record", formatFault(line, column, reason)),
    onHeaderless: (path) => tell(path, "done", "no header, so line 1 is a row; columns: Country, Capital, Population"),
    onFirstAdd: (path) => tell(path, "done", "countries that are added go there"),
  });
  if (file === undefined) return store;
  if (!translating("read", file, () => Deno.statSync(file)).isFile) {
    throw new AppError("failed", `Cannot read ${quoteName(file)}: it is no file`, { advice: "Name a CSV file" });
  }
  await store.refresh().catch((error) => {
    throw translated("read", file, error);
  });
  return store;
}

function formatFault(line: number, column: number, reason: string): string {
  return line === 0 ? reason : `line ${line}, column ${column}: ${reason}`;
}

function formatsOf(list: string | undefined, isOpen: boolean): readonly ServedFormat[] {
  if (list === undefined) return isOpen ? SERVED_FORMATS : ["app"];
  const names = list.split(",").map((name) => name.trim());
  const wrong = names.find((name) => !(SERVED_FORMATS as readonly string[]).includes(name));
  if (wrong === undefined) return names as ServedFormat[];
  const advice = `Name some of ${SERVED_FORMATS.join(", ")}, with commas between them`;
  throw usageError(serveCommand, `Cannot serve the format ${JSON.stringify(wrong)}`, advice);
}

function greetingNameOf(name: string): string {
  const fault = greetingNameFault(name);
  if (fault) throw usageError(serveCommand, `Cannot greet as ${JSON.stringify(name)}: ${fault}`);
  return name;
}

function integerOf(text: string): bigint {
  const number = parseInteger(text.trim());
  if (number !== undefined) return number;
  throw usageError(serveCommand, `--number takes an integer, and not ${JSON.stringify(text)}`, "Such as --number 42");
}

/** `undefined` when it takes too long, or when something in the way cannot be read: a count is not worth the server. */
async function measureQuickly(tree: LocalTree): Promise<Measure | undefined> {
  const tooLong = AbortSignal.timeout(MEASURE_MAX_MS);
  const measure = await tree.measure(tooLong).catch(() => undefined);
  return tooLong.aborted ? undefined : measure;
}

/** Removes old partials now and then until the server has stopped. */
async function sweepUntil(tree: LocalTree, finished: Promise<void>): Promise<void> {
  const ended = new AbortController();
  const sweep = () => void tree.sweep(ended.signal).catch(() => {}); // a tree that cannot be walked now can be later
  const timer = setInterval(sweep, SWEEP_EVERY_MS);
  sweep();
  await finished;
  ended.abort();
  clearInterval(timer);
}
