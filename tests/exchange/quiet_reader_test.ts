/** Requests that end at a silence, over streams in memory: whatever the pieces, and nothing is lost or doubled. */
import { AppError } from "../../protocol/errors.ts";
import { QuietReader } from "../../protocol/exchange/quiet_reader.ts";
import { readCode } from "../../protocol/exchange/unframed.ts";
import { assertEquals, assertRejectsCode } from "../support/assert.ts";
import { withSeed } from "../support/random.ts";
import { memoryPair } from "../support/streams.ts";

/** Long enough for bytes in memory, which are there at once. */
const QUIET_MS = 5;

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array | undefined) => bytes && new TextDecoder().decode(bytes);

function pair(bytesMax?: number) {
  const [one, two] = memoryPair();
  return { reader: new QuietReader(one, bytesMax), peer: two };
}

for (const request of ["list", "get,apple.jpg", "put,Grüße.txt", "img.jpg"]) {
  Deno.test(`"${request}" in two pieces, split at every byte, is one request`, async () => {
    const bytes = encode(request);
    for (let split = 1; split < bytes.length; split++) {
      const { reader, peer } = pair();
      await peer.write(bytes.subarray(0, split));
      await peer.write(bytes.subarray(split));
      assertEquals(decode(await reader.untilQuiet(QUIET_MS)), request, `split at ${split}`);
    }
  });

  Deno.test(`"${request}" byte by byte is one request, ended by a silence or by the end`, async () => {
    for (const ends of [false, true]) {
      const { reader, peer } = pair();
      for (const byte of encode(request)) await peer.write(Uint8Array.of(byte));
      if (ends) await peer.closeWrite();
      assertEquals(decode(await reader.untilQuiet(ends ? Infinity : QUIET_MS)), request);
      if (ends) assertEquals(await reader.untilQuiet(QUIET_MS), undefined);
    }
  });
}

Deno.test("a read that was under way at the silence gives its bytes to whatever is read next", async () => {
  const { reader, peer } = pair();
  await peer.write(encode("first"));
  assertEquals(decode(await reader.untilQuiet(QUIET_MS)), "first");
  await peer.write(encode("second"));
  assertEquals(decode(await reader.untilQuiet(QUIET_MS)), "second");
  await peer.write(encode("data that follows"));
  const into = new Uint8Array(4);
  let read = "";
  for (let left = "data that follows".length; left > 0;) {
    const count = await reader.read(into);
    read += decode(into.subarray(0, count!));
    left -= count!;
  }
  assertEquals(read, "data that follows");
  await peer.closeWrite();
  assertEquals(await reader.read(into), null);
});

Deno.test("a silence before the first byte ends nothing", async () => {
  const { reader, peer } = pair();
  let isOver = false;
  const request = reader.untilQuiet(0).finally(() => isOver = true);
  const { promise, resolve } = Promise.withResolvers<void>();
  setTimeout(resolve, QUIET_MS);
  await promise;
  assertEquals(isOver, false);
  await peer.write(encode("x"));
  assertEquals(decode(await request), "x");
});

Deno.test("a request that fills the room is handed over at once, and the next has all of the room again", async () => {
  const { reader, peer } = pair(10);
  await peer.write(encode("0123456789abc"));
  assertEquals(decode(await reader.untilQuiet(Infinity)), "0123456789");
  assertEquals(decode(await reader.untilQuiet(QUIET_MS)), "abc");
  await peer.write(encode("0123456"));
  assertEquals(decode(await reader.untilQuiet(QUIET_MS)), "0123456");
});

Deno.test("a long request behind another is not cut where the room ended for the first", async () => {
  const { reader, peer } = pair(10);
  await peer.write(encode("12345678"));
  assertEquals(decode(await reader.untilQuiet(QUIET_MS)), "12345678"); // a read into the last 2 bytes is under way now
  await peer.write(encode("abcdefghi"));
  assertEquals(decode(await reader.untilQuiet(QUIET_MS)), "abcdefghi");
});

Deno.test("what comes in any pieces, read in any pieces, is what was sent", () =>
  withSeed(async (random) => {
    for (let run = 0; run < 100; run++) {
      const { reader, peer } = pair(1 + random.below(20));
      const bytes = random.bytes(random.below(200));
      const sending = (async () => {
        for (let at = 0; at < bytes.length;) {
          const end = at + 1 + random.below(30);
          await peer.write(bytes.subarray(at, end));
          at = end;
        }
        await peer.closeWrite();
      })();
      const found: number[] = [];
      const into = new Uint8Array(1 + random.below(40));
      for (let hasEnded = false; !hasEnded;) {
        if (random.below(2) === 0 && !reader.isFull) hasEnded = await reader.more(0) === "ended";
        else if (random.below(2) === 0) found.push(...reader.take(random.below(5)));
        else {
          const count = await reader.read(into);
          if (count === null) hasEnded = true;
          else found.push(...into.subarray(0, count));
        }
      }
      found.push(...reader.take());
      await sending;
      assertEquals(found, [...bytes]);
    }
  }));

Deno.test("closing ends a wait with its reason, and whoever reads next gets it, too", async () => {
  const { reader } = pair();
  const waiting = reader.untilQuiet(QUIET_MS);
  assertEquals(reader.isWaiting, true);
  reader.close(new AppError("idle", "Nothing came"));
  // The stream in memory notices at its next turn.
  await assertRejectsCode(() => waiting, "idle");
  assertEquals(reader.isWaiting, false);
  await assertRejectsCode(async () => await reader.read(new Uint8Array(1)), "idle");
});

Deno.test("a code word is taken alone, whatever is behind it, split at every byte", async () => {
  for (
    const [code, codes] of [["pass", ["pass", "cancel"]], ["file-exists", [
      "file-exists",
      "file-doesn't-exist",
    ]]] as const
  ) {
    for (const behind of ["", "p", "data", "passcancel"]) {
      const bytes = encode(code + behind);
      for (let split = 0; split <= bytes.length; split++) {
        const { reader, peer } = pair();
        if (split > 0) await peer.write(bytes.subarray(0, split));
        if (split < bytes.length) await peer.write(bytes.subarray(split));
        await peer.closeWrite();
        assertEquals(await readCode<string>(reader, codes), code);
        let rest = "";
        const into = new Uint8Array(3);
        for (let count = await reader.read(into); count !== null; count = await reader.read(into)) {
          rest += decode(into.subarray(0, count));
        }
        assertEquals(rest, behind);
      }
    }
  }
});

Deno.test("what is no code word is told apart at its first wrong byte, and an early end is a lost connection", async () => {
  const said = async (text: string) => {
    const { reader, peer } = pair();
    if (text) await peer.write(encode(text));
    await peer.closeWrite();
    return await readCode<string>(reader, ["pass", "cancel"]);
  };
  assertEquals(await said("past"), undefined);
  assertEquals(await said("HTTP/1.1 400"), undefined);
  assertEquals(await said("pas"), undefined);
  await assertRejectsCode(() => said(""), "lost");
});
