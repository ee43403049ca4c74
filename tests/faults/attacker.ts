/**
 * A program that does a server harm, or is the harmless target of the same: `attacker.ts KIND PORT COUNT`. It prints
 * `ready` when it has begun, goes on until its stdin ends, and never uses more than `COUNT` connections at once.
 */
import { deflateSync } from "node:zlib";
import { crc32 } from "../../protocol/wire/crc32.ts";
import { ByteWriter } from "../../protocol/wire/fields.ts";
import { encodeMessage, type FieldMessage } from "../../protocol/wire/messages/mod.ts";

/** Between two connections of one lane, so that the storm is the same on every machine: nobody has to win a race. */
const STORM_PAUSE_MS = 20;
const TRICKLE_MS = 1_000;
/** Who was refused or dropped comes again, up to so much later; the storm has a pause of its own. */
const AGAIN_MS = 2_000;

type Attack = (conn: Deno.TcpConn) => Promise<void>;

function line(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function frameOf(message: FieldMessage): Uint8Array {
  const writer = new ByteWriter();
  encodeMessage(message, writer, crc32);
  return writer.written().slice();
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

async function pauseBeforeAgain(): Promise<void> {
  await pause(Math.random() * AGAIN_MS);
}

async function writeAll(conn: Deno.TcpConn, ...pieces: Uint8Array[]): Promise<void> {
  for (const bytes of pieces) for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

/** Reads and forgets until the end. */
async function untilEnd(conn: Deno.TcpConn): Promise<void> {
  const sink = new Uint8Array(65_536);
  while (await conn.read(sink) !== null);
}

/** Opens a session as an honest client does. */
async function open(conn: Deno.TcpConn): Promise<void> {
  const sent = "APP/1 agent=attacker";
  await writeAll(conn, line(sent + "\n"));
  let received = "";
  for (const byte = new Uint8Array(1); await conn.read(byte) !== null && byte[0] !== 10;) {
    received += String.fromCharCode(byte[0]!);
  }
  await writeAll(conn, frameOf({ type: "hello", sent, received }));
}

/** What one connection does; when it ends, the lane opens another one. */
const ATTACKS: Readonly<Record<string, Attack>> = {
  /** Says nothing. */
  async silent(conn) {
    await untilEnd(conn);
    await pauseBeforeAgain();
  },
  /** One byte a second: within the opening, or within a message of a session. */
  async trickle(conn) {
    const isOpened = Math.random() < 0.5;
    if (isOpened) await open(conn);
    const data = new Uint8Array(100_000);
    data.set([1, 0x86, 0x9b, 0x15, 1 ^ 0x86 ^ 0x9b ^ 0x15 ^ 0xa5]);
    const bytes = isOpened ? data : line("APP/1 " + "x".repeat(900));
    for (const byte of bytes) {
      await writeAll(conn, Uint8Array.of(byte));
      await pause(TRICKLE_MS);
    }
  },
  /** Asks for a large file, and reads nothing of it. */
  async deaf(conn) {
    await open(conn);
    await writeAll(conn, frameOf({ type: "get", name: "big", eager: true }));
    await pause(3_600_000);
  },
  /** Says the half of a line and ends its side, or never does. */
  async half(conn) {
    await writeAll(conn, line("APP/1 agent="));
    if (Math.random() < 0.5) await conn.closeWrite();
    await untilEnd(conn);
    await pauseBeforeAgain();
  },
  /** Comes and goes. */
  async storm(conn) {
    if (Math.random() < 0.5) await writeAll(conn, line("APP/1 agent=x\n"));
    await pause(STORM_PAUSE_MS);
  },
  /** Packets of some bytes that inflate to a lot. */
  async bomb(conn) {
    await writeAll(conn, BOMB);
    await untilEnd(conn);
    await pause(STORM_PAUSE_MS);
  },
  /** Announces what nobody has room for, and asks for what costs most. */
  async huge(conn) {
    await open(conn);
    const most = Number.MAX_SAFE_INTEGER;
    await writeAll(
      conn,
      frameOf({ type: "offer", name: "huge", sizeBytes: most, mtimeMs: most }),
      frameOf({ type: "cancel" }),
      frameOf({ type: "digest", name: "big" }),
      frameOf({ type: "mkdir", name: "../".repeat(1_000) }),
      frameOf({ type: "list", name: "" }),
      frameOf({ type: "cancel" }),
    );
    await pause(10 * STORM_PAUSE_MS);
  },
};

const BOMB = deflateSync(new Uint8Array(50_000_000));

const [kind = "", port = "", count = ""] = Deno.args;
if (kind === "sink") await beSink();
else await attack(ATTACKS[kind]!, Number(port), Number(count));

/** Takes every connection and whatever comes; says on which port. */
async function beSink(): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  console.log(`ready ${listener.addr.port}`);
  void stdinEnds();
  for (;;) {
    const conn = await listener.accept().catch(() => undefined);
    if (conn) untilEnd(conn).catch(() => {}).finally(() => conn.close());
    else await pauseBeforeAgain();
  }
}

async function attack(run: Attack, port: number, lanes: number): Promise<void> {
  let begun = 0;
  const begin = async () => {
    let isFirst = true;
    for (;;) {
      try {
        using conn = await Deno.connect({ hostname: "127.0.0.1", port });
        if (isFirst && ++begun === lanes) console.log("ready");
        isFirst = false;
        await run(conn);
      } catch {
        await pauseBeforeAgain();
      }
    }
  };
  for (let lane = 0; lane < lanes; lane++) void begin();
  await stdinEnds();
}

async function stdinEnds(): Promise<void> {
  for await (const _ of Deno.stdin.readable);
  Deno.exit(0);
}
