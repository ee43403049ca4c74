/** The opening over a stream: two lines, a hello, and a session on both sides; or a reason why not. */
import { QuietReader } from "../../protocol/exchange/quiet_reader.ts";
import { AppError } from "../../protocol/errors.ts";
import type { ByteStream } from "../../protocol/exchange/byte_stream.ts";
import { openAsClient, openAsServer, readFirstBytes } from "../../protocol/exchange/opening.ts";
import type { Session } from "../../protocol/exchange/session.ts";
import { OPENING_BYTES_MAX } from "../../protocol/limits.ts";
import { type Abilities, formatAbilities, parseOpening } from "../../protocol/wire/opening.ts";
import { assert, assertEquals, assertInstanceOf, assertRejectsCode } from "../support/assert.ts";
import { flipBit, memoryPair, oneByteAtATime } from "../support/streams.ts";
import { concat, encode } from "../wire/decoding.ts";
import { RawPeer } from "./raw_peer.ts";

const LINE = formatAbilities({ agent: "app/0.1.0", dataBytesMax: 262_144 });
const STAT = { type: "stat", name: "a" } as const;

const latin1 = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** Opens as a server does that serves only our own format; what it learnt of the client. */
async function serve(stream: ByteStream): Promise<{ session: Session; client: Abilities }> {
  const first = await readFirstBytes(new QuietReader(stream));
  if (first?.format !== "app") throw new AppError("not_app", `The format is ${first?.format}`);
  const opening = parseOpening(first.line);
  if (opening.kind !== "abilities") throw new AppError("malformed", "Words came");
  const options = { agent: "app/0.1.0", requestsAheadMax: 4 };
  const { session, hello } = await openAsServer(stream, first, opening.abilities, options);
  await hello();
  return { session, client: opening.abilities };
}

/** A client over a stream on which the server has said `bytes` already. */
async function openAgainst(bytes: Uint8Array, { isEnd = true } = {}): Promise<unknown> {
  const [one, two] = memoryPair();
  await two.write(bytes);
  if (isEnd) await two.closeWrite();
  return await openAsClient(oneByteAtATime(one), "app/0.1.0");
}

for (
  const [name, wrap] of [["in whole pieces", (stream) => stream], [
    "byte by byte",
    oneByteAtATime,
  ]] as const satisfies readonly (readonly [string, (stream: ByteStream) => ByteStream])[]
) {
  Deno.test(`both sides get a session, and learn of each other, when the opening comes ${name}`, async () => {
    const [one, two] = memoryPair().map(wrap) as [ByteStream, ByteStream];
    const opened = openAsClient(one, "tester/1.0").then((client) => {
      client.session.send(STAT);
      return client.session.flush().then(() => client);
    });
    const [client, server] = await Promise.all([opened, serve(two)]);
    assertEquals(client.abilities, { agent: "app/0.1.0", dataBytesMax: 262_144 });
    assertEquals(server.client, { agent: "tester/1.0", dataBytesMax: 262_144 });
    assertEquals(await server.session.nextRequest(), STAT);
    server.session.send({ type: "done", name: "answer" });
    await server.session.flush();
    assertEquals(await client.session.receive(), { type: "done", name: "answer" });
  });
}

Deno.test("a server takes line, hello and request that come in one piece", async () => {
  const [one, two] = memoryPair();
  const sent = "APP/1 data-max=2048";
  await one.write(concat(latin1(`${sent}\n`), encode({ type: "hello", sent, received: LINE }), encode(STAT)));
  const { session, client } = await serve(two);
  assertEquals(client, { dataBytesMax: 2_048 });
  assertEquals(session.dataBytesMax, 2_048, "the client's limit holds for what we send");
  assertEquals(await session.nextRequest(), STAT);
});

Deno.test("a client says its line, then hello with both lines as it saw them", async () => {
  const [one, two] = memoryPair();
  await two.write(latin1("APP/1 agent=other new-ability=7\n"));
  const { session } = await openAsClient(one, "app/0.1.0");
  await session.flush();
  const line = new Uint8Array(LINE.length + 1);
  for (let at = 0; at < line.length;) at += (await two.read(line.subarray(at))) ?? line.length;
  assertEquals(new TextDecoder().decode(line), `${LINE}\n`);
  const hello = { type: "hello", sent: LINE, received: "APP/1 agent=other new-ability=7" };
  assertEquals<unknown>(await new RawPeer(two).receive(), hello);
});

Deno.test("a bit flipped anywhere in the client's line never leads to a session", async () => {
  for (let bit = 0; bit < LINE.length * 8; bit++) {
    const [one, two] = memoryPair();
    const flipped = flipBit(one, bit >> 3, bit & 7);
    const client = openAsClient(flipped, "app/0.1.0").then(({ session }) => session.receive()).catch((error) => error);
    const error = await serve(two).catch((error) => error);
    two.close();
    assertInstanceOf(await client, AppError);
    assertInstanceOf(error, AppError, `bit ${bit}`);
    assert(["damaged", "malformed", "not_app"].includes(error.code), `bit ${bit}: ${error.code}`);
  }
});

Deno.test("a bit flipped anywhere in the server's line never leads to a session", async () => {
  for (let bit = 0; bit < LINE.length * 8; bit++) {
    const [one, two] = memoryPair();
    const client = openAsClient(one, "app/0.1.0").then(({ session }) => session.receive()).catch((error) => {
      one.close(error);
      return error;
    });
    const error = await serve(flipBit(two, bit >> 3, bit & 7)).catch((error) => error);
    two.close();
    assertInstanceOf(await client, AppError, `bit ${bit}`);
    assertInstanceOf(error, AppError, `bit ${bit}`);
    assert(["damaged", "lost"].includes(error.code), `bit ${bit}: ${error.code}`);
  }
});

Deno.test("a server finds lines that differ in hello", async () => {
  for (const [sent, received] of [[LINE + " ", LINE], [LINE, LINE.slice(1)], [LINE, ""], ["", LINE]] as const) {
    const [one, two] = memoryPair();
    await one.write(concat(latin1(`${LINE}\n`), encode({ type: "hello", sent, received })));
    await assertRejectsCode(() => serve(two), "damaged");
  }
});

Deno.test("a server chooses a compression of those that were offered, or none; another one is malformed", async () => {
  const lines = [
    ["", undefined],
    [" compress=deflate", undefined],
    [" compress=zstd", "malformed"],
    [" compress=", "malformed"],
    [" compress=deflate,deflate", "malformed"],
  ] as const;
  for (const [words, code] of lines) {
    const [one, two] = memoryPair();
    await two.write(latin1(`APP/1 agent=other${words}\n`));
    const opened = openAsClient(one, "app/0.1.0", "brotli,deflate");
    if (code === undefined) await opened;
    else await assertRejectsCode(() => opened, code);
  }
  const [one, two] = memoryPair();
  await two.write(latin1("APP/1 compress=deflate\n"));
  await assertRejectsCode(() => openAsClient(one, "app/0.1.0"), "malformed");
});

Deno.test("a server that agrees on a compression says so, and both speak it from hello on", async () => {
  const [one, two] = memoryPair();
  const opened = openAsClient(one, "tester/1.0", "deflate").then(async ({ session, abilities }) => {
    for (let count = 0; count < 500; count++) session.send(STAT);
    await session.flush();
    return abilities;
  });
  const first = await readFirstBytes(new QuietReader(two));
  const opening = parseOpening(first!.line);
  assert(opening.kind === "abilities");
  assertEquals(opening.abilities.compress, "deflate");
  const options = { agent: "app/0.1.0", requestsAheadMax: 4, compression: "deflate" } as const;
  const { session, hello } = await openAsServer(two, first!, opening.abilities, options);
  await hello();
  for (let count = 0; count < 500; count++) assertEquals(await session.nextRequest(), STAT);
  assertEquals((await opened).compress, "deflate");
  assert(two.bytesRead < 5_000, `${two.bytesRead} bytes`);
  session.close();
});

Deno.test("a server wants hello first", async () => {
  const [one, two] = memoryPair();
  await one.write(concat(latin1(`${LINE}\n`), encode({ type: "done" })));
  await assertRejectsCode(() => serve(two), "order");
});

for (
  const [name, bytes, code] of [
    ["that refuses the connection", "APP/1 refused=too_many_connections\n", "too_many_connections"],
    ["that wants TLS", "APP/1 refused=tls_required data-max=1024\n", "tls_required"],
    ["that refuses for an unknown reason", "APP/1 refused=full_moon\n", "internal"],
    ["that refuses for a property of objects", "APP/1 refused=constructor\n", "internal"],
    ["that speaks HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n", "not_app"],
    ["that greets as SSH does", "SSH-2.0-OpenSSH_9.6\r\n", "not_app"],
    ["that says a few bytes and ends", "XP", "not_app"],
    ["that closes inside its first word", "AP", "lost"],
    ["of a later version", "APP/2 agent=x\n", "not_app"],
    ["that answers in words", "APP/1 ok\n", "malformed"],
    ["with a bad ability", "APP/1 data-max=1\n", "malformed"],
    ["whose line is not UTF-8", "APP/1 agent=\xff\n", "malformed"],
    ["that closes before it says anything", "", "lost"],
    ["that closes inside its line", "APP/1 agent=x", "lost"],
  ] as const
) {
  Deno.test(`a client of a server ${name} ends with "${code}"`, async () => {
    await assertRejectsCode(() => openAgainst(latin1(bytes)), code);
  });
}

Deno.test("a refusal is the peer's word", async () => {
  const error = await assertRejectsCode(() => openAgainst(latin1("APP/1 refused=tls_required\n")), "tls_required");
  assertEquals(error.by, "peer");
});

Deno.test("a line may be as long as the limit, its line feed included, and no longer", async () => {
  const longest = `APP/1 agent=${"x".repeat(OPENING_BYTES_MAX)}`.slice(0, OPENING_BYTES_MAX - 1);
  await openAgainst(latin1(`${longest}\n`));
  await assertRejectsCode(() => openAgainst(latin1(`${longest}x\n`)), "malformed");
  await assertRejectsCode(() => openAgainst(latin1(longest + "x".repeat(5_000)), { isEnd: false }), "malformed");
});

Deno.test("first bytes of other formats are handed on as they came, and nothing at all is nothing", async () => {
  for (
    const [text, format] of [["GET / HTTP/1.1\r\n", "http"], ["\x16\x03\x01", "tls"], ["hi", "unknown"], [
      "APP",
      "unknown",
    ]] as const
  ) {
    const [one, two] = memoryPair();
    await one.write(latin1(text));
    await one.closeWrite();
    assertEquals(await readFirstBytes(new QuietReader(two)), { format, line: "", early: latin1(text) });
  }
  const [one, two] = memoryPair();
  await one.closeWrite();
  assertEquals(await readFirstBytes(new QuietReader(two)), undefined);
});
