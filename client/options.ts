/** The options that several commands share, and what they come to. */
import type { CommandInput } from "../protocol/cli/command.ts";
import { formatDuration } from "../protocol/cli/format.ts";
import type { CompressChoice } from "../protocol/compressions.ts";
import { AppError } from "../protocol/errors.ts";
import { quoteName } from "../protocol/escape.ts";
import { translating } from "../protocol/files/fs_errors.ts";
import { requirePrivate } from "../protocol/files/kept_file.ts";
import { CLIENT_LIMITS } from "../protocol/limits.ts";
import { isLink } from "../protocol/wire/link.ts";
import { IF_IMPOSSIBLE } from "../protocol/wire/messages/preflight.ts";
import { trustNoAddedAuthorities } from "./added_authorities.ts";
import { Client, type ClientOptions } from "./client.ts";
import type { Trust } from "./dial.ts";
import { KnownHostsFile } from "./known_hosts.ts";
import type { SessionHolder } from "./session_holder.ts";
import type { OldServer } from "./old/old_server.ts";
import { Report } from "./report.ts";
import { formatTarget, takeTarget, type Target, type TargetWords } from "./target.ts";

/** Every client command has these. */
export const COMMON_OPTIONS = [
  {
    name: "timeout",
    kind: "seconds",
    value: "SECONDS",
    default: CLIENT_LIMITS.timeoutMs / 1000,
    min: 0.1,
    max: 86_400,
    help: "Give a silent connection up after this time",
  },
  {
    name: "retries",
    kind: "count",
    value: "N",
    default: CLIENT_LIMITS.retries,
    max: 1_000,
    help: "New attempts in a row after a lost connection",
  },
  {
    name: "link-file",
    kind: "text",
    value: "FILE",
    help: "A file with the link to the server; nobody else may be able to read it",
  },
  { name: "strict", kind: "flag", help: "Speak only with servers whose key is known" },
  { name: "quiet", short: "q", kind: "flag", help: "Tell only errors" },
  { name: "json", kind: "flag", help: "One JSON object a line on stdout" },
] as const;

/** Those that move or name files. */
export const IF_EXISTS_OPTION = {
  name: "if-exists",
  kind: "choice",
  choices: ["error", "skip", "rename", "replace"],
  default: "error",
  help: "What to do when the name is taken",
} as const;

/** Those that move directories. */
export const IF_IMPOSSIBLE_OPTION = {
  name: "if-impossible",
  kind: "choice",
  choices: IF_IMPOSSIBLE,
  default: "stop",
  help: "What cannot be stored of a directory stops all, or is left out",
} as const;

/** Those that can speak an old format; which one has a server of that format for each of them. */
export function wireOption<const T extends readonly string[]>(...oldFormats: T) {
  return {
    name: "wire",
    kind: "choice",
    choices: ["app", ...oldFormats],
    default: "app",
    help: "The format that the server speaks",
  } as const;
}

/** For commands without a name to take: it is accepted, so that a script can give all commands the same options. */
export const LOOK_OPTIONS = [...COMMON_OPTIONS, { ...IF_EXISTS_OPTION, hidden: true }] as const;

/** Takes the server from the words, or from a link that was given in another way: then all words are left. */
export function targetFor({ words, terminal, options, ...rest }: TargetInput): TargetWords {
  const file = options["link-file"];
  if (!("holder" in rest)) return takeTarget(words, terminal, linkFrom(file, words));
  if (file === undefined) return takeTarget(words, terminal);
  throw new AppError("usage", "A shell has one server", { advice: "Run: app shell --link-file FILE" });
}

type TargetInput = Pick<CommandInput<typeof COMMON_OPTIONS>, "words" | "options" | "terminal"> & InShell;

/** A link word is not kept from anybody who can see what runs here; a file and the environment are. */
function linkFrom(file: string | undefined, words: readonly string[]): string | undefined {
  const isWord = isLink(words[0] ?? "");
  if (file === undefined) return isWord ? undefined : Deno.env.get("APP_LINK") || undefined;
  if (isWord) {
    throw new AppError("usage", "Both a link and --link-file were given", { advice: "Leave one of them out" });
  }
  requirePrivate(file);
  return translating("read", file, () => Deno.readTextFileSync(file)).trim();
}

/** How the options say that this command reports. */
export function reportFor({ options, terminal }: CommandInput<typeof COMMON_OPTIONS>, dataOnStdout = false): Report {
  return new Report(terminal, { json: options.json, quiet: options.quiet, dataOnStdout });
}

/** A client of `target` with what the options say; it tells `report` of its retries. */
export function clientFor(target: Target, input: ClientInput, report: Report): Client {
  return new Client(target, { ...clientOptionsFor(input, report), ...(input.holder ? { holder: input.holder } : {}) });
}

/** What the input of a command has besides where it runs in a shell. */
export interface InShell {
  /** The connection that all commands share. */
  readonly holder?: SessionHolder;
}

/** The same for a server of an old format. What only these need is loaded only for them. */
export async function oldServerFor(target: Target, input: ClientInput, report: Report): Promise<OldServer> {
  const { OldServer } = await import("./old/old_server.ts");
  return new OldServer(target, clientOptionsFor(input, report));
}

type ClientInput =
  & Pick<CommandInput<typeof COMMON_OPTIONS>, "options" | "interruption" | "version">
  & { readonly options: { readonly compress?: CompressChoice } }
  & InShell;

/** What the options, and the keys that this person's program remembers, say of whom to trust. */
export function trustFor({ options }: Pick<ClientInput, "options">, report: Report): Trust {
  trustNoAddedAuthorities();
  const knownHosts = new KnownHostsFile({
    async onRemembered(target, key) {
      const { fingerprintOf } = await import("../protocol/tls/fingerprint.ts");
      const fingerprint = await fingerprintOf(key);
      const line = `The key of ${formatTarget(target)} is remembered from now on: ${fingerprint}`;
      report.note(line, { event: "remembered", host: target.host, port: target.port, key, fingerprint });
    },
    onFault: (path, line) => report.note(`${quoteName(path)} line ${line} is broken, and passed over`),
  });
  return { knownHosts, isStrict: options.strict };
}

/** What a client of any format gets of the options. */
export function clientOptionsFor(input: ClientInput, report: Report): ClientOptions {
  const { options, interruption, version } = input;
  return {
    ...trustFor(input, report),
    timeoutMs: options.timeout * 1000,
    retries: options.retries,
    signal: interruption.signal(),
    agent: `app/${version}`,
    ...(options.compress ? { compress: options.compress } : {}),
    onRetry(error, attempt, waitMs, attemptsMax) {
      const wait = formatDuration(Math.ceil(waitMs / 1000));
      const inAll = attemptsMax === Infinity ? "" : ` of ${attemptsMax}`;
      report.note(`${error.message}; attempt ${attempt}${inAll} in ${wait}`, {
        event: "retry",
        code: error.code,
        message: error.message,
        attempt,
        waitMs,
      });
    },
  };
}

/** What the receiver does about a taken name: `skip` is dealt with by the command, and then a taken name is an error. */
export function ifTakenOf(choice: "error" | "skip" | "rename" | "replace"): "error" | "rename" | "replace" {
  return choice === "skip" ? "error" : choice;
}
