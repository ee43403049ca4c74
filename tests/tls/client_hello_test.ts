/** What a server makes of a TLS client's first message before it lets TLS begin. */
import { encodeAlert, endOfFirstEncrypted, judgeClientHello } from "../../protocol/tls/client_hello.ts";
import { CLIENT_HELLO_BYTES_MAX } from "../../protocol/limits.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { withSeed } from "../support/random.ts";

const HELLOS: Record<string, string> = JSON.parse(
  Deno.readTextFileSync(new URL("../../fixtures/tls/client_hellos.json", import.meta.url)),
);
const TLS_1_2 = "openssl 3.0, TLS 1.2";

function hello(name: string): Uint8Array {
  return Uint8Array.from(HELLOS[name]!.match(/../g)!, (byte) => parseInt(byte, 16));
}

function verdictOf(name: string) {
  return name === TLS_1_2 ? "protocol_version" : "good";
}

/** The same handshake message in records of `size` bytes. */
function inRecords(bytes: Uint8Array, size: number): Uint8Array {
  const message = bytes.subarray(5);
  const pieces: number[] = [];
  for (let at = 0; at < message.length; at += size) {
    const piece = message.subarray(at, at + size);
    pieces.push(22, 3, 1, piece.length >> 8, piece.length & 255, ...piece);
  }
  return Uint8Array.from(pieces);
}

for (const name of Object.keys(HELLOS)) {
  Deno.test(`hello of ${name} is judged whole, and not before`, () => {
    const bytes = hello(name);
    assertEquals(judgeClientHello(bytes), verdictOf(name));
    for (let length = 0; length < bytes.length; length++) {
      const verdict = judgeClientHello(bytes.subarray(0, length));
      assert(typeof verdict === "number" && verdict > length && verdict <= bytes.length, `${length}: ${verdict}`);
    }
    assertEquals(judgeClientHello(Uint8Array.of(...bytes, 0)), "decode_error");
    assertEquals(judgeClientHello(Uint8Array.of(...bytes, ...bytes)), "decode_error");
  });

  Deno.test(`hello of ${name} may come in records of any size`, () => {
    for (const size of [1, 2, 3, 4, 5, 100, 16_384]) {
      const bytes = inRecords(hello(name), size);
      assertEquals(judgeClientHello(bytes), verdictOf(name), `records of ${size}`);
      for (let length = 0; length < bytes.length; length += 1 + (length >> 3)) {
        assertEquals(typeof judgeClientHello(bytes.subarray(0, length)), "number", `${length} of records of ${size}`);
      }
    }
  });
}

Deno.test("what is no hello is refused at its first wrong byte", () => {
  const bytes = hello("Deno, TLS 1.2 or 1.3");
  const changed = (at: number, value: number) => bytes.with(at, value).subarray(0, at + 1);
  assertEquals(judgeClientHello(changed(0, 23)), "decode_error");
  assertEquals(judgeClientHello(changed(1, 2)), "decode_error");
  assertEquals(judgeClientHello(changed(5, 2)), "decode_error", "a server's hello");
  assertEquals(judgeClientHello(Uint8Array.of(22, 3, 1, 0, 0)), "decode_error", "an empty record");
  assertEquals(judgeClientHello(Uint8Array.of(22, 3, 1, 0xff, 0xff)), "decode_error", "a record that is too large");
  assertEquals(judgeClientHello(Uint8Array.of(22, 3, 1, 0, 4, 1, 1, 0, 0)), "decode_error", "a hello of 64 KiB");
  assertEquals(judgeClientHello(Uint8Array.of(22, 3, 1, 0, 4, 1, 0, 0, 0)), "decode_error", "a hello of nothing");
});

Deno.test("a hello is taken up to the limit, and not beyond", () => {
  const sized = (bytes: number) => {
    const extension = bytes - 5 - 4 - 2 - 32 - 1 - 2 - 1 - 2 - 4 - 7;
    const extensions = [0, 43, 0, 3, 2, 3, 4, 0, 21, extension >> 8, extension & 255, ...new Uint8Array(extension)];
    const body = [
      3,
      3,
      ...new Uint8Array(32),
      0,
      0,
      0,
      0,
      extensions.length >> 8,
      extensions.length & 255,
      ...extensions,
    ];
    const message = [1, 0, body.length >> 8, body.length & 255, ...body];
    return Uint8Array.of(22, 3, 1, message.length >> 8, message.length & 255, ...message);
  };
  assertEquals(sized(CLIENT_HELLO_BYTES_MAX).length, CLIENT_HELLO_BYTES_MAX);
  assertEquals(judgeClientHello(sized(CLIENT_HELLO_BYTES_MAX)), "good");
  assertEquals(judgeClientHello(sized(CLIENT_HELLO_BYTES_MAX + 1)), "decode_error");
});

Deno.test("any bytes get a verdict, and asking for more asks for more than there is, within the limit", () =>
  withSeed((random) => {
    for (let round = 0; round < 3_000; round++) {
      const bytes = hello(random.pick(Object.keys(HELLOS)));
      for (let change = random.below(4); change >= 0; change--) bytes[random.below(bytes.length)] = random.below(256);
      const verdict = judgeClientHello(bytes.subarray(0, 1 + random.below(bytes.length)));
      if (typeof verdict !== "number") continue;
      assert(verdict <= CLIENT_HELLO_BYTES_MAX + 5, String(verdict));
    }
  }));

Deno.test("alerts are records that end a connection", () => {
  assertEquals(encodeAlert("protocol_version"), Uint8Array.of(21, 3, 3, 0, 2, 2, 70));
  assertEquals(encodeAlert("decode_error"), Uint8Array.of(21, 3, 3, 0, 2, 2, 50));
});

Deno.test("the first encrypted record is found behind others, once it is whole", () => {
  const changeCipher = [20, 3, 3, 0, 1, 1];
  const bytes = Uint8Array.of(...changeCipher, 23, 3, 3, 0, 2, 9, 9, 23, 3, 3, 0, 1);
  for (let length = 0; length < 13; length++) assertEquals(endOfFirstEncrypted(bytes.subarray(0, length)), undefined);
  for (let length = 13; length <= bytes.length; length++) {
    assertEquals(endOfFirstEncrypted(bytes.subarray(0, length)), 13);
  }
  assertEquals(endOfFirstEncrypted(hello(TLS_1_2)), undefined);
});
