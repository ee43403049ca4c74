/** Hostile frames to a real server: it says why, closes, leaves nothing behind, and goes on serving the others. */
import { Client } from "../../../client/mod.ts";
import { ERRORS } from "../../../protocol/errors.ts";
import { crc32 } from "../../../protocol/wire/crc32.ts";
import type { Message } from "../../../protocol/wire/messages/mod.ts";
import { RawConnection } from "../../server/served.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { names as namesIn } from "../../support/names_in.ts";
import { ServerProcess, temporaryDirectory } from "../../support/program.ts";
import { concat, decode, encode, frameOf } from "../../wire/decoding.ts";
import { HOSTILE, offerOfSize } from "./hostile_frames.ts";
import { assertNoDefect } from "./refusals.ts";

/** What comes back for `bytes` behind an honest opening, up to the end of the connection. */
async function say(port: string, ...pieces: readonly Uint8Array[]): Promise<readonly Message[]> {
  using conn = await RawConnection.open(Number(port));
  const sent = "APP/1 agent=hostile";
  await conn.write(sent + "\n");
  await conn.write(encode({ type: "hello", sent, received: await conn.readLine() }));
  await conn.write(concat(...pieces));
  await conn.end();
  const { messages, error, isInsideFrame } = decode(await conn.readBytes());
  assert(!error && !isInsideFrame, `what the server said is not whole: ${error?.message}`);
  return messages;
}

/** The names of the error codes in the server's answers; other messages by their type. */
function told(messages: readonly Message[]): string[] {
  return messages.map((message) => {
    if (message.type !== "error" && message.type !== "goodbye") return message.type;
    const [name] = Object.entries(ERRORS).find(([, row]) => row.number === message.code) ?? ["all is well"];
    return `${message.type} ${name}`;
  });
}

async function assertServes(port: string): Promise<void> {
  await using client = new Client({ host: "127.0.0.1", port: Number(port) }, { retries: 0 });
  assertEquals((await client.stat("file")).sizeBytes, 7);
}

/** A request under way, so that the bytes come in the middle of something. */
const BEFORE: Readonly<Record<string, readonly Message[]>> = {
  "between requests": [],
  "in the middle of a put": [{ type: "offer", name: "new", sizeBytes: 10, eager: true }],
  "while a get waits": [{ type: "get", name: "file" }],
};

for (const [where, before] of Object.entries(BEFORE)) {
  Deno.test(`hostile frames ${where} are told as what they are, and others are served`, async () => {
    using shared = temporaryDirectory();
    Deno.writeTextFileSync(`${shared.path}/file`, "content");
    await using server = await ServerProcess.start(shared.path);
    for (const [what, bytes, error] of HOSTILE) {
      const answer = told(await say(server.port, ...before.map(encode), bytes));
      assertEquals(answer.at(-1), `goodbye ${error}`, what);
      await assertServes(server.port);
      assertEquals(namesIn(shared.path), ["file"], what);
    }
    const { code, log } = await server.stop();
    assertEquals(code, 0);
    assertNoDefect(log);
  });
}

const EMPTY_DATA = frameOf(0x15, new Uint8Array());
const CONTENT = new TextEncoder().encode("twin");

/** What is legal bytes at a wrong time or with a value that lies, and what is right. */
const SAID: readonly (readonly [what: string, pieces: readonly Uint8Array[], answer: readonly string[]])[] = [
  ["data of length 0", [encode({ type: "offer", name: "a", eager: true }), EMPTY_DATA], ["goodbye malformed"]],
  ["data for nothing", [encode({ type: "data", bytes: CONTENT })], ["goodbye order"]],
  ["stored for nothing", [encode({ type: "stored", sizeBytes: 1, crc: 1 })], ["goodbye order"]],
  ["a name of no bytes", [encode({ type: "get", name: "" })], ["error bad_name", "goodbye all is well"]],
  ["a name of NUL", [encode({ type: "get", name: "\0" })], ["error bad_name", "goodbye all is well"]],
  ["a name that leads out", [encode({ type: "get", name: "../x" })], ["error bad_name", "goodbye all is well"]],
  [
    "more data than was offered",
    [
      encode({ type: "offer", name: "a", sizeBytes: 1, eager: true }),
      encode({ type: "data", bytes: CONTENT }),
      encode({ type: "cancel" }),
    ],
    ["error mismatch", "goodbye all is well"],
  ],
  [
    "twin: a message from 0x80 on is passed over",
    [frameOf(0x80, new Uint8Array(9)), encode({ type: "stat", name: "file" })],
    ["entries", "done", "goodbye all is well"],
  ],
  ["twin: a size of 2^53 - 1 is a number, and no disk has room for it", [
    offerOfSize(0x1f, ...new Array(6).fill(255)),
    encode({ type: "cancel" }),
  ], ["error no_space", "goodbye all is well"]],
  [
    "twin: a time of 2^53 - 1 is a number",
    [
      encode({ type: "offer", name: "twin", sizeBytes: 4, mtimeMs: Number.MAX_SAFE_INTEGER, eager: true }),
      encode({ type: "data", bytes: CONTENT }),
      encode({ type: "end", sizeBytes: 4, crc: crc32(CONTENT) }),
    ],
    ["stored", "goodbye all is well"],
  ],
];

Deno.test("sound frames that say what cannot be are refused, and their twins are taken", async () => {
  using shared = temporaryDirectory();
  Deno.writeTextFileSync(`${shared.path}/file`, "content");
  await using server = await ServerProcess.start(shared.path);
  for (const [what, pieces, answer] of SAID) {
    assertEquals(told(await say(server.port, ...pieces)).slice(0, answer.length), answer, what);
    await assertServes(server.port);
  }
  assertEquals(namesIn(shared.path), ["file", "twin"]);
  assertNoDefect((await server.stop()).log);
});
