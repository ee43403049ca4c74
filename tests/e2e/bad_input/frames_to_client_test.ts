/** A server that lies, with the bytes themselves, to real clients: each says so in two lines, and keeps nothing. */
import { crc32 } from "../../../protocol/wire/crc32.ts";
import type { Message } from "../../../protocol/wire/messages/mod.ts";
import { type FakeServer, startFakeServer, untilEnd } from "../../client/fake_server.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { names as namesIn } from "../../support/names_in.ts";
import { runApp, temporaryDirectory } from "../../support/program.ts";
import { concat, encode, frameOf } from "../../wire/decoding.ts";
import { HOSTILE } from "./hostile_frames.ts";
import { assertRefused, inTurns, type Refusal } from "./refusals.ts";

/** A server that answers the first request of each connection with `answer`, byte by byte as it is. */
function lyingServer(answer: Uint8Array): FakeServer {
  return startFakeServer(async (conn) => {
    await untilByte(conn, 10); // the client's opening line
    await writeAll(conn, new TextEncoder().encode("APP/1 agent=liar data-max=262144\n"));
    await conn.read(new Uint8Array(65_536)); // hello, and the request with it
    await writeAll(conn, answer);
    await conn.closeWrite();
    await untilEnd(conn);
  });
}

async function untilByte(conn: Deno.Conn, wanted: number): Promise<void> {
  const byte = new Uint8Array(1);
  while (await conn.read(byte) !== null && byte[0] !== wanted);
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

/** What one of the four errors is to a client. */
const TOLD = {
  malformed: { code: 1, says: "Cannot", next: "both sides run the same version of app" },
  unsupported: { code: 1, says: "Cannot", next: "Update app" },
  limit: { code: 1, says: "the limit is 262144", next: "both sides run the same version of app" },
  damaged: { code: 4, says: "damaged on its way", next: "Run the same command again" },
} as const;

type Lie = Omit<Refusal, "args"> & { readonly what: string; readonly words: string[]; readonly answer: Uint8Array };

const CONTENT = new TextEncoder().encode("content");
const OFFER: Message = { type: "offer", name: "a", sizeBytes: CONTENT.length, eager: true };
const DATA: Message = { type: "data", bytes: CONTENT };
const END: Message = { type: "end", sizeBytes: CONTENT.length, crc: crc32(CONTENT) };
const GET = ["get", "a"];
const SAME_VERSION = "both sides run the same version of app";
const AGAIN = "Run the same command again";

const bytesOf = (...messages: readonly Message[]) => concat(...messages.map(encode));

/** Of each kind of error the first. */
const ONE_OF_EACH = HOSTILE.filter(([, , error], index) => HOSTILE.findIndex((row) => row[2] === error) === index);

const LIES: readonly Lie[] = [
  ...HOSTILE.map(([what, answer, error]): Lie => ({ what, words: GET, answer, ...TOLD[error] })),
  ...ONE_OF_EACH.map(([what, bytes, error]): Lie => (
    { what: `${what} inside a file`, words: GET, answer: concat(bytesOf(OFFER, DATA), bytes), ...TOLD[error] }
  )),
  {
    what: "data of length 0",
    words: GET,
    answer: concat(bytesOf(OFFER), frameOf(0x15, new Uint8Array())),
    code: 1,
    says: "data without a byte",
    next: SAME_VERSION,
  },
  {
    what: "more data than was offered",
    words: GET,
    answer: bytesOf(OFFER, DATA, DATA, END),
    code: 1,
    says: "",
    next: AGAIN,
  },
  {
    what: "an end without its data",
    words: GET,
    answer: bytesOf(OFFER, END),
    code: 1,
    says: "",
    next: AGAIN,
  },
  {
    what: "9 PB, and then nothing",
    words: GET,
    answer: bytesOf({ ...OFFER, sizeBytes: Number.MAX_SAFE_INTEGER }, DATA),
    code: 4,
    says: "ended too early",
    next: AGAIN,
  },
  {
    what: "an accept of more blocks than there are",
    words: ["put", "own"],
    answer: bytesOf({ type: "accept", blocks: Number.MAX_SAFE_INTEGER }),
    code: 1,
    says: "",
    next: SAME_VERSION,
  },
  {
    what: "stored before anything came",
    words: ["put", "own"],
    answer: bytesOf({ type: "stored", sizeBytes: 1, crc: 1 }),
    code: 1,
    says: "stored",
    next: SAME_VERSION,
  },
  {
    what: "an answer to something else",
    words: ["list"],
    answer: bytesOf(OFFER),
    code: 1,
    says: "offer",
    next: SAME_VERSION,
  },
  {
    what: "an error that paints",
    words: ["stat", "a"],
    answer: bytesOf({ type: "error", code: 10, text: "\u001b[31m\nred" }),
    code: 1,
    says: String.raw`\u{1b}[31m\u{a}red`,
    next: "app list",
  },
  {
    what: "an error of no known number",
    words: ["stat", "a"],
    answer: bytesOf({ type: "error", code: 9_999, text: "Odd" }),
    code: 1,
    says: "Odd",
    next: "Look at the server's log",
  },
  {
    what: "nothing at all",
    words: ["stat", "a"],
    answer: new Uint8Array(),
    code: 4,
    says: "ended too early",
    next: AGAIN,
  },
];

Deno.test("whatever a server says, a client ends with two lines, and with nothing that was not whole", async () => {
  await inTurns(LIES, async ({ what, words: [command, ...rest], answer, ...refusal }) => {
    using here = temporaryDirectory();
    Deno.writeFileSync(`${here.path}/own`, new Uint8Array(2_000_000));
    await using server = lyingServer(answer);
    const args = [command!, "127.0.0.1", String(server.port), ...rest, "--retries", "0", "--timeout", "5"];
    const outcome = await runApp(args, { cwd: here.path });
    assertRefused(outcome, { ...refusal, args: [...args, `(${what})`] });
    assertEquals(namesIn(here.path), ["own"], what);
  });
});

Deno.test("the same bytes without the lie are taken", async () => {
  using here = temporaryDirectory();
  await using server = lyingServer(concat(frameOf(0x80, new Uint8Array(9)), bytesOf(OFFER, DATA, END)));
  const { code, stderr } = await runApp(["get", "127.0.0.1", String(server.port), "a"], { cwd: here.path });
  assertEquals([code, stderr], [0, ""]);
  assertEquals(Deno.readFileSync(`${here.path}/a`), CONTENT);
  assert(server.connections === 1);
});
