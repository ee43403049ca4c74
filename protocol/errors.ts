/**
 * The one table of error codes, and the one error class of this program.
 *
 * Owns: what can go wrong, its number on the wire, whether trying again can help, the exit code, and the advice that a
 * person gets as the second line. Does not own: how an error is printed (`cli/`) or sent (`wire/messages/session.ts`).
 * Numbers below `LOCAL_FROM` travel, the others never do. A number is never given to another meaning.
 */

/** Numbers from this one on never travel. */
export const LOCAL_FROM = 100;

interface ErrorRow {
  /** On the wire, and in `--json` output. */
  readonly number: number;
  /** What the code says, for the specification. */
  readonly meaning: string;
  /** Whether the same request can succeed when it is simply sent again. */
  readonly retriable: boolean;
  /** What a process ends with when this ends it. */
  readonly exit: 1 | 2 | 3 | 4 | 130;
  /** What a person can do next. */
  readonly advice: string;
}

const row = (
  number: number,
  meaning: string,
  advice: string,
  { retriable = false, exit = 1 }: { retriable?: boolean; exit?: ErrorRow["exit"] } = {},
): ErrorRow => ({ number, meaning, retriable, exit, advice });

const broken = { retriable: true, exit: 4 } as const;

/** Every code: name -> number, meaning, retriable, exit code, advice. */
export const ERRORS = {
  // What came cannot be read.
  malformed: row(1, "The bytes do not follow the format", "Check that both sides run the same version of app"),
  damaged: row(
    2,
    "A checksum of the connection failed",
    "Run the same command again: it goes on where it stopped",
    broken,
  ),
  order: row(3, "A message came where it may not come", "Check that both sides run the same version of app"),
  limit: row(4, "A limit of the protocol was passed", "Check that both sides run the same version of app"),
  unsupported: row(5, "A required message, field or value is unknown", "Update app on the side that is older"),

  // The request is declined.
  not_found: row(10, "There is nothing under that name", "See what is there with: app list HOST PORT"),
  exists: row(11, "The name is taken", "Choose another name, or say --if-exists skip, rename or replace"),
  is_directory: row(12, "The name is a directory", "Name a file inside it; app list HOST PORT DIR shows them"),
  not_a_file: row(13, "The name is neither a file nor a directory", "Only regular files and directories are shared"),
  not_a_directory: row(
    14,
    "Part of the name is a file, not a directory",
    "Name a directory, or a name whose parents are directories",
  ),
  bad_name: row(15, "The name breaks the name rule", "Choose another name; --as and --output give a file another one"),
  outside: row(16, "The name leads out of the shared directory", "Choose a name inside the shared directory"),
  not_empty: row(17, "The directory is not empty", "Remove what is in it first"),
  bad_record: row(18, "The record cannot be kept as it is", "Give both names, without double quotes or line ends"),
  read_only: row(20, "The server does not take changes", "Ask its owner to start it without --read-only"),
  overwrite_denied: row(
    21,
    "The server does not let files be replaced",
    "Ask its owner to start it with --allow-overwrite",
  ),
  remove_denied: row(22, "The server does not let files be removed", "Ask its owner to start it with --allow-remove"),
  denied: row(
    23,
    "The operating system refused access",
    "Ask the server's owner to check who may do that with its files",
  ),
  link_needed: row(24, "Strangers may not do that", "Ask the server's owner for a link, which app link makes there"),
  link_refused: row(25, "The link is not valid, or not any more", "Ask the server's owner for a new link"),
  not_allowed: row(26, "The link does not allow that", "Ask the server's owner for a link that allows it"),
  too_many_removals: row(
    27,
    "More would be removed than was allowed",
    "See with --dry-run what that is, and say --max-delete N if it is right",
  ),
  no_trash: row(
    28,
    "Nothing is kept there to be undone",
    "Say --trash auto, or ask the server's owner to start it without --trash off",
  ),
  too_large: row(30, "The file is larger than allowed", "Ask the server's owner for a larger --max-file-size"),
  no_space: row(31, "No space left on the device", "Free some space on the server, then run the same command again"),
  busy: row(32, "Somebody else is writing that file now", "Wait until that transfer ends, then run the command again", {
    retriable: true,
  }),
  too_many_connections: row(33, "The server has all the connections it allows", "Try again in a moment", {
    retriable: true,
  }),
  tls_required: row(34, "The server only speaks TLS", "Ask the server's owner for a link"),
  quota: row(
    35,
    "The shared directory is as large as it may be",
    "Remove something there, or ask the server's owner for a larger --quota",
  ),
  too_many_files: row(
    36,
    "There are as many files and directories as there may be",
    "Remove some there, or ask the server's owner for a larger --max-files",
  ),
  too_many_partials: row(
    37,
    "There are as many unfinished uploads as there may be",
    "Finish those that broke off: run their commands again",
  ),
  address_full: row(
    38,
    "The server has all the connections it allows from one address",
    "Try again in a moment, or ask the server's owner for a larger --max-per-address",
    { retriable: true },
  ),

  // The transfer came to nothing.
  source_changed: row(
    40,
    "The file changed while it was read",
    "Run the same command again: it sends the new content",
    {
      retriable: true,
    },
  ),
  mismatch: row(41, "What arrived is not what was sent", "Run the same command again: it starts anew", {
    retriable: true,
  }),
  cancelled: row(42, "The other side called the transfer off", "Run the same command again", { exit: 4 }),

  // The connection ends.
  internal: row(50, "The other side failed", "Look at the server's log"),
  shutting_down: row(51, "The server is stopping", "Run the same command again when it is back", broken),
  idle: row(52, "Nothing came for too long", "Run the same command again: it goes on where it stopped", broken),
  cannot_watch: row(
    54,
    "Nobody can tell of changes there",
    "Leave directories out, or have the system allow more (on Linux fs.inotify.max_user_watches)",
  ),

  // Local only.
  usage: row(100, "The command line cannot be understood", "Run: app --help", { exit: 2 }),
  not_connected: row(101, "No connection came about", "Check the address and the port, and that the server runs", {
    exit: 3,
  }),
  lost: row(102, "The connection broke off", "Run the same command again: it goes on where it stopped", broken),
  not_app: row(103, "What answers there is not app", "Check the port: app serve prints it when it starts"),
  interrupted: row(104, "Interrupted", "Run the same command again: it goes on where it stopped", { exit: 130 }),
  failed: row(105, "An operation of this machine failed", "See the first line for the cause"),
  wrong_key: row(
    106,
    "The server could not prove that it has the key",
    "Ask its owner whether the key is a new one, and for a new link; if it is not, somebody may stand between you",
    { exit: 3 },
  ),
  unknown_host: row(107, "The server's key is not known here", "Ask the server's owner for a link, which has the key", {
    exit: 3,
  }),
} as const satisfies Record<string, ErrorRow>;

/** The name of an error code, such as `not_found`. */
export type ErrorName = keyof typeof ERRORS;

const BY_NUMBER: ReadonlyMap<number, ErrorName> = new Map(
  (Object.keys(ERRORS) as ErrorName[]).map((name) => [ERRORS[name].number, name]),
);

/** The code with that number on the wire, or `undefined` for one that this version does not know. */
export function errorNameOf(number: number): ErrorName | undefined {
  return number < LOCAL_FROM ? BY_NUMBER.get(number) : undefined;
}

export interface AppErrorOptions extends ErrorOptions {
  /** Replaces the advice of the table. */
  readonly advice?: string;
  /** Whose word this is: found here (the default), or told by the peer. */
  readonly by?: "us" | "peer";
}

/**
 * What every function of this program throws on purpose. `message` is one line that says what failed, with values
 * quoted; `advice` is one line that says what to do next. Match on `code`, never on the text.
 */
export class AppError extends Error {
  override readonly name = "AppError";
  readonly code: ErrorName;
  /** Who knows more than the table (which server, which port) may say it better. */
  advice: string;
  readonly by: "us" | "peer";

  constructor(code: ErrorName, message: string, { advice, by = "us", cause }: AppErrorOptions = {}) {
    super(message, cause === undefined ? {} : { cause });
    this.code = code;
    this.advice = advice ?? ERRORS[code].advice;
    this.by = by;
  }

  get retriable(): boolean {
    return ERRORS[this.code].retriable;
  }

  get exit(): number {
    return ERRORS[this.code].exit;
  }
}

/** Whether it is one of ours, with that code. */
export function hasCode<Code extends ErrorName>(error: unknown, code: Code): error is AppError & { code: Code } {
  return error instanceof AppError && error.code === code;
}

/** An `AppError` as it is; anything else wrapped as `internal`, with `doing` saying what failed. Never throws. */
export function toAppError(error: unknown, doing: string): AppError {
  if (error instanceof AppError) return error;
  return new AppError("internal", `${doing}: ${detailOf(error)}`, { cause: error });
}

/** Anything can be thrown, also what is no error and cannot be made a text. */
function detailOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error);
  } catch {
    return "something was thrown that is no error";
  }
}

/** The longest text of an error that is sent: it fits into the smallest frame that a peer may ask for. */
const TEXT_LENGTH_MAX = 240;

/**
 * What a peer is told of `error`. What only this machine understands is not told: it could name paths, and the peer can
 * do nothing about it. A text is shortened where a peer might not take it whole, since a name in it can be long.
 */
export function forPeer({ code, message }: AppError): { name: ErrorName; number: number; text: string } {
  const { number } = ERRORS[code];
  if (number >= LOCAL_FROM || code === "internal") {
    return { name: "internal", number: ERRORS.internal.number, text: "The other side failed; its own log says why" };
  }
  return { name: code, number, text: shortened(message) };
}

/** Without its middle, if it is too long: the name stands there, what failed before it, and the reason behind it. */
function shortened(text: string): string {
  if (text.length <= TEXT_LENGTH_MAX) return text;
  const half = TEXT_LENGTH_MAX / 2;
  return `${text.slice(0, half - 1).toWellFormed()}…${text.slice(-half).toWellFormed()}`;
}
