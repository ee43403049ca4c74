/**
 * Messages of every type, each with all of its fields and with those only that must be there. Used both ways: to
 * bytes, and back. `deno task golden` writes their bytes to `fixtures/wire/messages.json`.
 */
import { packEntries } from "../../protocol/wire/entry_batch.ts";
import type { Message } from "../../protocol/wire/messages/mod.ts";
import { ACTIONS, packActions, packIndices } from "../../protocol/wire/plan_actions.ts";

export interface MessageCase {
  readonly name: string;
  readonly message: Message;
}

const DIGEST = Uint8Array.from({ length: 16 }, (_, index) => 0x11 * index);
const BLAKE2B = Uint8Array.from({ length: 64 }, (_, index) => 255 - index);

export const MESSAGE_CASES: readonly MessageCase[] = [
  { name: "hello", message: { type: "hello", sent: "APP/1 data-max=1024", received: "APP/1" } },
  {
    name: "hello with a credential",
    message: { type: "hello", sent: "APP/1", received: "APP/1", credential: Uint8Array.of(0, 1, 254, 255) },
  },
  { name: "ping", message: { type: "ping", id: 0 } },
  { name: "ping with a number of two bytes", message: { type: "ping", id: 256 } },
  { name: "pong", message: { type: "pong", id: 255 } },
  { name: "pong with the largest number", message: { type: "pong", id: Number.MAX_SAFE_INTEGER } },
  { name: "goodbye", message: { type: "goodbye" } },
  { name: "goodbye with a reason", message: { type: "goodbye", code: 51, text: "The server is stopping" } },
  { name: "cancel", message: { type: "cancel" } },
  { name: "done", message: { type: "done" } },
  { name: "done with another name, some hidden", message: { type: "done", name: "photo (2).jpg", hidden: 3 } },
  { name: "error", message: { type: "error", code: 10, text: 'There is no "a"' } },
  {
    name: "error with advice, of a whole tree",
    message: { type: "error", code: 31, text: "No space", advice: "Free some" },
  },

  { name: "status", message: { type: "status" } },
  { name: "state, the last part of it", message: { type: "state", gauges: [], connections: [] } },
  {
    name: "state with everything",
    message: {
      type: "state",
      agent: "app/0.1.0",
      uptimeMs: 3_600_000,
      gauges: [{ name: "connections", used: 1, max: 1_000 }, { name: "root_bytes", used: 0 }, { name: "idle_ms" }],
      connections: [
        { peer: "127.0.0.1:5000", who: "stranger", bytesReceived: 40, bytesSent: 50, ageMs: 0, requests: 0 },
        {
          peer: "[::1]:5000",
          who: "Anna",
          request: "get",
          name: "a.txt",
          bytesReceived: 300,
          bytesSent: 2 ** 40,
          ageMs: 60_000,
          requests: 7,
        },
      ],
    },
  },

  { name: "get", message: { type: "get", name: "a.txt" } },
  { name: "get, eager", message: { type: "get", name: "photos/Zürich 🏔.jpg", eager: true } },
  { name: "offer of a stream", message: { type: "offer", name: "log" } },
  {
    name: "offer with everything",
    message: {
      type: "offer",
      name: "a/b",
      sizeBytes: 2 ** 40,
      mtimeMs: 1_700_000_000_000,
      eager: true,
      ifExists: 2,
      mode: 0o644,
      compares: true,
      sha256: true,
    },
  },
  { name: "accept of a file that is not held", message: { type: "accept", blocks: 0 } },
  { name: "accept of 300 held blocks", message: { type: "accept", blocks: 300 } },
  { name: "accept after something else was thrown away", message: { type: "accept", blocks: 0, restarted: true } },
  {
    name: "accept with everything",
    message: { type: "accept", blocks: 2, restarted: true, oldBlocks: 5, sha256: true },
  },
  { name: "digests of one block", message: { type: "digests", digests: DIGEST } },
  { name: "compare with one block", message: { type: "compare", digests: DIGEST } },
  { name: "compare with one behind others", message: { type: "compare", skipped: 300, digests: DIGEST } },
  { name: "same", message: { type: "same", blocks: 1 } },
  { name: "from the start", message: { type: "from", offset: 0 } },
  { name: "from behind two blocks", message: { type: "from", offset: 2_097_152 } },
  { name: "data of one byte", message: { type: "data", bytes: Uint8Array.of(0) } },
  { name: "data", message: { type: "data", bytes: new TextEncoder().encode("hello") } },
  { name: "end", message: { type: "end", sizeBytes: 5, crc: 0x3610a686 } },
  { name: "stored", message: { type: "stored", sizeBytes: 0, crc: 0 } },
  { name: "stored under another name", message: { type: "stored", sizeBytes: 5, crc: 0x3610a686, name: "a (2)" } },

  { name: "list of the shared directory", message: { type: "list", name: "" } },
  { name: "list of everything", message: { type: "list", name: "photos", all: true } },
  { name: "entries, none", message: { type: "entries", entries: [] } },
  {
    name: "entries, three",
    message: {
      type: "entries",
      entries: [
        { name: "a.txt", kind: 0, sizeBytes: 5, mtimeMs: 1_700_000_000_000, mode: 0o644 },
        { name: "b", kind: 1 },
        { name: "link", kind: 2, sizeBytes: 0, mtimeMs: 0, mode: 0, target: "a.txt" },
      ],
    },
  },
  { name: "stat", message: { type: "stat", name: "a.txt" } },
  { name: "mkdir", message: { type: "mkdir", name: "a/b/c" } },
  { name: "move", message: { type: "move", from: "a", to: "b" } },
  { name: "move with a rule", message: { type: "move", from: "a", to: "b", ifExists: 1 } },
  { name: "remove", message: { type: "remove", name: "a.txt" } },
  { name: "digest", message: { type: "digest", name: "a.txt" } },
  { name: "checksum", message: { type: "checksum", sizeBytes: 0, crc: 0, blake2b: BLAKE2B } },

  { name: "find", message: { type: "find", country: "Côte d'Ivoire" } },
  { name: "record", message: { type: "record", country: "Atlantis", capital: "Poseidonia" } },
  {
    name: "record with a population",
    message: { type: "record", country: "Peru", capital: "Lima", population: 34_217_848 },
  },
  { name: "add", message: { type: "add", country: "Atlantis", capital: "Poseidonia" } },
  {
    name: "add with a population",
    message: { type: "add", country: "Atlantis", capital: "Poseidonia", population: 0 },
  },

  { name: "push", message: { type: "push", name: "" } },
  {
    name: "push with everything",
    message: {
      type: "push",
      name: "photos",
      removeMax: 100,
      ifDifferent: 2,
      exact: true,
      dryRun: true,
      unflushed: true,
      filtered: true,
      trash: 2,
      tag: "0123456789abcdef",
      ifImpossible: 1,
      measure: true,
    },
  },
  { name: "pull", message: { type: "pull", name: "photos" } },
  { name: "pull with everything", message: { type: "pull", name: "", checksum: true, dryRun: true, ifImpossible: 0 } },
  { name: "listed, no entry", message: { type: "listed", names: "", facts: new Uint8Array() } },
  {
    name: "listed, one of each kind",
    message: {
      type: "listed",
      ...packEntries([
        { name: "a.txt", kind: "file", sizeBytes: 5, mtimeMs: 1_700_000_000_000, mode: 0o644, digest: DIGEST },
        { name: "b", kind: "directory", sizeBytes: 0, mtimeMs: 2 ** 40, mode: 0o755 },
        { name: "fifo", kind: "other", sizeBytes: 0, mtimeMs: 0, mode: 0 },
        { name: "link", kind: "link", sizeBytes: 0, mtimeMs: 1, mode: 0o777, target: "b/c" },
      ]),
      last: true,
      unknown: true,
      code: 23,
      text: "No",
    },
  },
  { name: "plan without an action", message: { type: "plan", considered: 300 } },
  {
    name: "plan",
    message: {
      type: "plan",
      considered: 301,
      actions: packActions(ACTIONS.map((action, index) => ({ number: 40 * index, action }))),
      sources: "old/name",
      fresh: packIndices([0]),
    },
  },
  { name: "file, empty", message: { type: "file", number: 0, content: [] } },
  {
    name: "file, another version, in two pieces",
    message: { type: "file", number: 7, mtimeMs: 1, content: [Uint8Array.of(1, 2), Uint8Array.of(3)] },
  },
  { name: "gone", message: { type: "gone", number: 8, code: 10, text: "It is gone" } },
  { name: "scanned", message: { type: "scanned" } },
  {
    name: "scanned, some hidden",
    message: { type: "scanned", hidden: 2, mtimeMs: 1_700_000_000_000, mode: 0o750 },
  },
  { name: "kept", message: { type: "kept", number: 255 } },
  { name: "failed", message: { type: "failed", name: "a/b", code: 21, text: "It may not be replaced" } },
  { name: "extra", message: { type: "extra", names: ["a/b", "a"] } },
  { name: "extra, as a question", message: { type: "extra", names: ["c"], asks: true } },
  { name: "spare none", message: { type: "spare", indices: new Uint8Array() } },
  { name: "spare some", message: { type: "spare", indices: packIndices([0, 1, 200]) } },
  {
    name: "tallied",
    message: {
      type: "tallied",
      files: 1,
      fileBytes: 2 ** 40,
      unchanged: 2,
      skipped: 3,
      removed: 4,
      failed: 5,
      moved: 6,
    },
  },
  { name: "probe", message: { type: "probe", numbers: packIndices([0, 3, 500]) } },
  { name: "proof", message: { type: "proof", digests: DIGEST } },
  { name: "watch", message: { type: "watch", name: "photos" } },
  { name: "changed", message: { type: "changed" } },
  { name: "changed, perhaps more than was seen", message: { type: "changed", lost: true } },
  {
    name: "tallied, some not kept",
    message: {
      type: "tallied",
      files: 1,
      fileBytes: 2,
      unchanged: 0,
      skipped: 0,
      removed: 3,
      failed: 0,
      moved: 0,
      unkept: 2,
    },
  },
  { name: "undo", message: { type: "undo", name: "" } },
  {
    name: "undo with everything",
    message: { type: "undo", name: "photos", dryRun: true, unflushed: true, tag: "0123456789abcdef" },
  },
  { name: "undoing", message: { type: "undoing", name: "photos", startedMs: 1_700_000_000_000 } },
  { name: "undoing an undo", message: { type: "undoing", name: "", startedMs: 0, undo: true } },
  { name: "undone", message: { type: "undone", names: ["a/b", "a"], actions: Uint8Array.of(0, 2) } },
  { name: "room, every name and any size", message: { type: "room", partBytesMax: 255, nameBytesMax: 4_096 } },
  {
    name: "room with everything",
    message: {
      type: "room",
      partBytesMax: 255,
      nameBytesMax: 1_000,
      ignoresCase: true,
      normalises: true,
      windows: true,
      fileBytesMax: 2 ** 32,
      bytesLeft: 2 ** 40,
      filesLeft: 0,
    },
  },
  { name: "impossible", message: { type: "impossible", name: "d/a?", code: 15, text: "Windows takes no ?" } },
  {
    name: "impossible beside another one",
    message: { type: "impossible", name: "d/readme", code: 15, text: "It would be the same", beside: "d/README" },
  },
  { name: "go", message: { type: "go", entries: 0, sizeBytes: 0 } },
  { name: "go, with more than was told", message: { type: "go", entries: 70_000, sizeBytes: 2 ** 41, more: 12 } },
  { name: "need", message: { type: "need", bytes: 2 ** 33, files: 300 } },
];
