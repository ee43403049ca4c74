/** Changes whose answer was lost: the next attempt finds them done, and says neither less nor more than the truth. */
import { Client, putFile } from "../../client/mod.ts";
import type { ErrorName } from "../../client/mod.ts";
import { ERRORS } from "../../protocol/errors.ts";
import type { MessageOf } from "../../protocol/wire/messages/mod.ts";
import type { Session } from "../../protocol/exchange/session.ts";
import { crc32 } from "../../protocol/wire/crc32.ts";
import { assertEquals, assertRejectsCode } from "../support/assert.ts";
import { temporaryDirectory } from "../support/program.ts";
import { startServed } from "../server/served.ts";
import { type FakeServer, startFakeSessions } from "./fake_server.ts";

const CONTENT = new TextEncoder().encode("the content");
const STORED = { sizeBytes: CONTENT.length, crc: crc32(CONTENT) };

function clientOf(server: FakeServer): Client {
  return new Client(server, { retries: 3, retryWaitMs: 0 });
}

/** What the client still says of its put: up to `end`, or up to `cancel` if it heard first that it is refused. */
async function untilLastWord(session: Session): Promise<void> {
  for (let type = ""; type !== "end" && type !== "cancel";) ({ type } = await session.receive());
}

function answerStat(session: Session): void {
  session.send({ type: "entries", entries: [{ name: "b", kind: 0, sizeBytes: 7 }] });
  session.send({ type: "done" });
}

function refuse(session: Session, code: ErrorName): void {
  session.send({ type: "error", code: ERRORS[code].number, text: `No: ${code}` });
}

Deno.test("a put whose answer was lost is known as stored when its name is taken by what was sent", async () => {
  using here = temporaryDirectory();
  Deno.writeFileSync(`${here.path}/a`, CONTENT);
  for (const stored of [STORED, { ...STORED, crc: 1 }]) {
    await using server = startFakeSessions(async (session, number) => {
      await session.nextRequest();
      if (number > 0) refuse(session, "exists");
      await untilLastWord(session);
      if (number === 0) return;
      assertEquals((await session.nextRequest())?.type, "digest");
      session.send({ type: "checksum", ...stored, blake2b: new Uint8Array(64) });
      await session.nextRequest();
    });
    await using client = clientOf(server);
    const put = putFile(client, `${here.path}/a`, "a");
    if (stored === STORED) assertEquals(await put, { name: "a", ...STORED, resumedBytes: 0, reusedBytes: 0 });
    else await assertRejectsCode(() => put, "exists");
  }
});

Deno.test("a put of a name that was taken before is refused, even by the same content", async () => {
  await using served = startServed({ a: CONTENT });
  using here = temporaryDirectory();
  Deno.writeFileSync(`${here.path}/a`, CONTENT);
  await using client = served.client();
  await assertRejectsCode(() => putFile(client, `${here.path}/a`, "a"), "exists");
});

Deno.test("a remove whose answer was lost has done its work, but a first one must find something", async () => {
  await using server = startFakeSessions(async (session, number) => {
    await session.nextRequest();
    if (number === 0) return;
    refuse(session, "not_found");
    await session.nextRequest();
  });
  await using client = clientOf(server);
  await client.remove("a");
  assertEquals(server.connections, 2);
  await using served = startServed({}, { allowRemove: true });
  await using other = served.client({ retries: 3 });
  await assertRejectsCode(() => other.remove("a"), "not_found");
});

Deno.test("a busy remove that is not found at the second look was not done by us", async () => {
  await using server = startFakeSessions(async (session) => {
    for (const code of ["busy", "not_found"] as const) {
      await session.nextRequest();
      refuse(session, code);
    }
    await session.nextRequest();
  });
  await using client = clientOf(server);
  await assertRejectsCode(() => client.remove("a"), "not_found");
});

Deno.test("a move whose answer was lost has done its work", async () => {
  const moves: MessageOf<"move">[] = [];
  await using server = startFakeSessions(async (session, number) => {
    for (let request = await session.nextRequest(); request; request = await session.nextRequest()) {
      if (request.type === "move") moves.push(request);
      if (number === 0) return;
      if (request.type === "move") refuse(session, "not_found");
      else answerStat(session); // what stands under the new name
    }
  });
  await using client = clientOf(server);
  assertEquals(await client.move("a", "b"), "b");
  assertEquals(moves.length, 2);
});

Deno.test("a put that would step aside, and whose answer was lost, is not stored a second time", async () => {
  using here = temporaryDirectory();
  Deno.writeFileSync(`${here.path}/a`, CONTENT);
  await using server = startFakeSessions(async (session, number) => {
    await session.nextRequest();
    if (number === 0) {
      await untilLastWord(session);
      return;
    }
    session.send({ type: "checksum", sizeBytes: 3, crc: 1, blake2b: new Uint8Array(64) });
    await session.nextRequest();
    session.send({ type: "checksum", ...STORED, blake2b: new Uint8Array(64) });
    await session.nextRequest();
  });
  await using client = clientOf(server);
  const result = await putFile(client, `${here.path}/a`, "a", { ifExists: "rename" });
  assertEquals(result, { name: "a (2)", ...STORED, resumedBytes: 0, reusedBytes: 0 });
});
