/**
 * Every number that bounds what a peer, a file or a wait may cost, in one frozen table.
 *
 * What a peer or a person can notice belongs here, so that the specification, the help and the code cannot differ; what
 * only tunes one module stands in that module.
 * Sizes are in bytes, times in milliseconds. Those of the server can be changed per server (see `ServerLimits`).
 */

/** The largest body of one frame, and so the most file data that one frame carries. */
export const BODY_BYTES_MAX = 262_144;

/** What one segment of a compressed session stands for, at most. */
export const SEGMENT_BYTES_MAX = 262_144;

/** Sessions that a server compresses at once, unless it is told otherwise: each can take 8 MB for it. */
export const COMPRESSED_SESSIONS_MAX = 64;

/** The smallest `data-max` that a peer may announce: below it a frame is more header than data. */
export const BODY_BYTES_MIN = 1_024;

/** The longest opening line, its line feed included. */
export const OPENING_BYTES_MAX = 1_024;

/** The longest first message of a TLS client, with its records; usual ones have less than 2,000 bytes. */
export const CLIENT_HELLO_BYTES_MAX = 16_384;

/** The longest name on the wire, and the longest part between two slashes, both in UTF-8. */
export const NAME_BYTES_MAX = 4_096;
export const NAME_PART_BYTES_MAX = 255;

/** The deepest name: each part costs a server some calls to the system, during which it hears nobody else. */
export const NAME_PARTS_MAX = 128;

/** The longest name of a country or a capital that can be added, in letters. */
export const RECORD_NAME_LENGTH_MAX = 200;

/** The largest packet of the old format `packet`, when it is inflated. */
export const PACKET_BYTES_MAX = 65_536;

/** The last time that a `Date` can have; a peer may tell of later ones. */
export const DATE_MS_MAX = 8.64e15;

/** The unit of resuming: a partial is kept, proven and continued in whole blocks. */
export const BLOCK_BYTES = 1_048_576;

/** BLAKE2b-512 cut to this many bytes identifies a block. */
export const BLOCK_DIGEST_BYTES = 16;

/** A file that is replaced is compared from so many blocks on: what is smaller is sent in less time. */
export const COMPARED_BLOCKS_MIN = 4;

/** How many blocks a receiver may tell of ahead of what it has got. */
export const COMPARED_AHEAD_MAX = 1_024;

/** How many entries of a tree a sender tells ahead of what has become of them. */
export const TREE_ENTRIES_AHEAD_MAX = 16_384;

/** How many bytes of messages about entries it tells ahead while the receiver may not change anything yet. */
export const TREE_HELD_BYTES_MAX = 8 * 1_048_576;

/** How many small files, and how many bytes of them, it sends ahead of those that are kept. */
export const TREE_FILES_AHEAD_MAX = 2_048;
export const TREE_BYTES_AHEAD_MAX = 16 * 1_048_576;

/** How many names are looked at, at most, when some of what would be removed may stay. */
export const TREE_EXTRAS_MAX = 100_000;

/** How many new files wait to be recognised among those that go, and how many of those are looked at. */
export const TREE_MOVES_MAX = 100_000;

/** How many entries of a tree a sender keeps in mind that were planned for later. */
export const TREE_LATER_MAX = 2 * TREE_MOVES_MAX;

/** The longest message about a tree that is no file. */
export const TREE_MESSAGE_BYTES_MAX = 16_384;

/** A partial that nobody went on with for this long is removed. */
export const PARTIAL_AGE_MAX_MS = 7 * 24 * 3_600_000;

/** What a push or pull replaced or removed is kept for this long, and of so many of them. */
export const TRASH_AGE_MAX_MS = 7 * 24 * 3_600_000;
export const TRASH_RUNS_MAX = 100;

/** How much of a tree may be in its trash: this share of it, or so much if that is more. */
export const TRASH_SHARE = 0.1;
export const TRASH_BYTES_MIN = 1_000_000_000;

/** A writer that stored nothing for this long loses its partial to the next one who asks for it. */
export const PARTIAL_SILENCE_MAX_MS = 2_000;

/** While a request is under way, each side says something at least this often. */
export const HEARTBEAT_MS = 5_000;

/** Who watches a tree looks at it so often in any case; and so often where changes may not be heard of. */
export const WATCH_RESCAN_MS = 300_000;
export const WATCH_POLL_MS = 10_000;

/** How often silent connections are looked for. */
export const SWEEP_MS = 500;

/** Within a message, this many bytes must move in the time that may pass in silence: a trickle is silence, too. */
export const PROGRESS_BYTES = 16_384;

/** Of a limit that is not set. */
export const NO_LIMIT = Infinity;

/**
 * What a server allows one connection, one address, and all of them together. An address is an IPv4 address or the /64
 * network of an IPv6 one; this machine's own addresses (127.0.0.0/8, ::1) have no limits of an address, since everybody
 * who comes through a tunnel has the same one.
 */
export interface ServerLimits {
  /** From the accepted connection to the end of its opening, `hello` included. */
  openingTimeoutMs: number;
  /** Without a whole message, and without `PROGRESS_BYTES` of one, when one is waited for; or with less than that taken. */
  idleTimeoutMs: number;
  /** Connections at once; one more gets a readable refusal. Fewer, where the system has no room for as many. */
  connectionsMax: number;
  /** Of them, those from one address. */
  connectionsPerAddressMax: number;
  /** Connections at once that have not finished their opening; for one more the oldest is dropped. */
  openingsMax: number;
  openingsPerAddressMax: number;
  /** Requests that one connection may send ahead of the one under way. */
  requestsAheadMax: number;
  /** How fast one connection may be, and all together; each way, in bytes a second. */
  bytesPerSecondMax: number;
  bytesPerSecondTotalMax: number;
  /** The largest file that may be put. */
  fileBytesMax: number;
  /** How large all files may be, and how many files and directories there may be; what is unfinished counts. */
  rootBytesMax: number;
  rootFilesMax: number;
  /** What puts leave free on the disk; "auto" is 100 MB, or a hundredth of a disk of less than 10 GB. */
  keepFreeBytes: number | "auto";
  /** Partials in all, and those that one address began. */
  partialsMax: number;
  partialsPerAddressMax: number;
  /** Names in a directory that can be listed. */
  listNamesMax: number;
  /** Watches at once, and the directories that one, and all of them, may watch: the system has room for so many. */
  watchesMax: number;
  watchedDirectoriesMax: number;
  watchedDirectoriesTotalMax: number;
  /** How long running transfers may go on after the server was told to stop. */
  drainMs: number;
  /** A request of an old format without an end mark is complete when nothing more came for this long. */
  quietMs: number;
  /** Between a code word of an old format and what follows it: the old programs take what comes together for one. */
  codeGapMs: number;
  /** From the refusal of a request of the format `share` to the end of the connection, at most. */
  cancelWaitMs: number;
  /** The longest that somebody waits whose address has shown wrong secrets. */
  secretWaitMaxMs: number;
}

export const SERVER_LIMITS: Readonly<ServerLimits> = Object.freeze({
  openingTimeoutMs: 10_000,
  idleTimeoutMs: 60_000,
  connectionsMax: 1_000,
  connectionsPerAddressMax: 128,
  openingsMax: 256,
  openingsPerAddressMax: 64,
  requestsAheadMax: 64,
  bytesPerSecondMax: NO_LIMIT,
  bytesPerSecondTotalMax: NO_LIMIT,
  fileBytesMax: NO_LIMIT,
  rootBytesMax: NO_LIMIT,
  rootFilesMax: NO_LIMIT,
  keepFreeBytes: "auto",
  partialsMax: 1_000,
  partialsPerAddressMax: 100,
  listNamesMax: 1_000_000,
  watchesMax: 64,
  watchedDirectoriesMax: 20_000,
  watchedDirectoriesTotalMax: 60_000,
  drainMs: 10_000,
  quietMs: 100,
  codeGapMs: 200,
  cancelWaitMs: 1_000,
  secretWaitMaxMs: 2_000,
});

/** What a client waits for, and how often it tries again. */
export interface ClientLimits {
  /** Without a byte in either direction, and for the connection itself. */
  timeoutMs: number;
  /** New connections after a lost one, per command. */
  retries: number;
  /** The wait before the first of them; it doubles each time, up to `retryWaitMaxMs`. */
  retryWaitMs: number;
  retryWaitMaxMs: number;
}

export const CLIENT_LIMITS: Readonly<ClientLimits> = Object.freeze({
  timeoutMs: 30_000,
  retries: 5,
  retryWaitMs: 500,
  retryWaitMaxMs: 15_000,
});
