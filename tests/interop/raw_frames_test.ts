/** What protocol/README.md promises beyond the needs of client.py, frame by frame. */
import { assertEquals, assertMatch } from "../support/assert.ts";
import { test, write } from "./python.ts";

test("A ping is answered at once, between requests and while a get waits for its accept", async (place) => {
  await write(`${place.shared}/file`, new Uint8Array(3));
  const said = await place.script(`
session = start()
session.send(PING, field(1, 7)); hear(session, PONG)
session.send(GET, field(1, b"file")); session.expect(OFFER)
session.send(PING, field(1, 8)); hear(session, PONG)`);
  assertEquals(said, "pong 7\npong 8");
});

test("A request before hello is told `order`", async ({ script }) => {
  const said = await script(`
class Silent(Session):
    def send(self, kind, body=b""): kind == HELLO or super().send(kind, body)
session = start(Silent)
session.send(LIST, field(1, b"")); hear(session, GOODBYE)`);
  assertEquals(said, "goodbye 3");
});

test("A hello that differs from the opening is told `damaged`", async ({ script }) => {
  const said = await script(`
class Other(Session):
    def send(self, kind, body=b""): super().send(kind, field(1, b"a") + field(2, b"b"))
hear(start(Other), GOODBYE)`);
  assertEquals(said, "goodbye 2");
});

test("Data without a byte is told `malformed`", async ({ script }) => {
  const said = await script(`
session = start()
session.send(OFFER, offer(b"file", EAGER_OFFER))
session.send(DATA); hear(session, GOODBYE)`);
  assertEquals(said, "goodbye 1");
});

test("The entry in the reply to stat has the last part of the name", async ({ shared, script }) => {
  await Deno.mkdir(`${shared}/sub`);
  await write(`${shared}/sub/file`, new Uint8Array(3));
  const said = await script(`
session = start()
session.send(0x22, field(1, b"sub/file"))
print(*[text(entry, 1) for _, entry in fields(session.expect(ENTRIES)[1])]); hear(session, DONE)`);
  assertEquals(said, "file\ndone");
});

// Messages that cross: exactly one `error` belongs to the offer, and the next reply follows it.
const CROSSING: [string, string, RegExp][] = [
  ["eager offer of a taken name", "offer(b'taken', EAGER_OFFER)", /^error (11|42), entries, done\npong 7$/],
  ["offer of a taken name", "offer(b'taken')", /^error (11|42), entries, done\npong 7$/],
  ["eager offer of a free name", "offer(b'free', EAGER_OFFER)", /^error 42, entries, done\npong 7$/],
  ["offer of a free name", "offer(b'free')", /^(accept 0, )?error 42, entries, done\npong 7$/],
];
for (const [what, body, expected] of CROSSING) {
  test(`An ${what}, a cancel and a list at once: one error, then the list`, async ({ shared, script }) => {
    await write(`${shared}/taken`, new Uint8Array(3));
    const said = await script(`
session = start()
session.send(OFFER, ${body}); session.send(CANCEL); session.send(LIST, field(1, b"")); hear(session, DONE)
session.send(PING, field(1, 7)); hear(session, PONG)`);
    assertMatch(said, expected);
    assertEquals([...Deno.readDirSync(shared)].map((entry) => entry.name), ["taken"]);
  });
}

test("A client that says error to an offer hears one cancel, then the reply to its list", async ({ shared, script }) => {
  await write(`${shared}/file`, new Uint8Array(3));
  const said = await script(`
session = start()
session.send(GET, field(1, b"file")); session.expect(OFFER)
session.send(ERROR, field(1, 42) + field(2, b"no")); session.send(LIST, field(1, b"")); hear(session, DONE)`);
  assertEquals(said, "cancel, entries, done");
});

test("After the client's goodbye the server closes at once", async ({ shared, script }) => {
  await write(`${shared}/file`, new Uint8Array(3));
  const said = await script(`
session = start(); session.send(LIST, field(1, b"")); session.expect(ENTRIES); session.expect(DONE)
session.send(GOODBYE); hear_end(session)
session = start(); session.send(GET, field(1, b"file")); session.expect(OFFER)
session.send(GOODBYE); hear_end(session)`);
  assertMatch(said, /^\d+ bytes, closed\n\d+ bytes, closed$/);
});

// Between requests it answers a goodbye with one of its own.
test("After the client's goodbye the server says nothing more", async ({ script }) => {
  assertEquals(await script("session = start(); session.send(GOODBYE); hear_end(session)"), "0 bytes, closed");
});

// It sends data by the client's data-max, but `entries` by 262,144.
test("A list goes on in more messages when the client's data-max is small", async ({ shared, script }) => {
  const names = Array.from({ length: 30 }, (_, index) => `${"long-name-".repeat(12)}${10 + index}`);
  await Promise.all(names.map((name) => Deno.writeFile(`${shared}/${name}`, new Uint8Array())));
  const said = await script(`
session = start(mine=b"APP/1 data-max=1024")
session.send(LIST, field(1, b"")); messages = []
while (message := session.expect(ENTRIES, DONE))[0] == ENTRIES: messages.append(message[1])
print(len(messages) > 1 and max(map(len, messages)) <= 1024)
print(*[text(entry, 1) for body in messages for _, entry in fields(body)])`);
  assertEquals(said, `True\n${names.join(" ")}`);
});
