/** A client of the format `packet` whose connection is lost: what does no harm twice is asked again, an addition is not. */
import { PacketClient } from "../../client/mod.ts";
import type { ErrorName } from "../../client/mod.ts";
import { TcpStream } from "../../protocol/exchange/byte_stream.ts";
import { PacketReader, writePacket } from "../../protocol/exchange/packet_stream.ts";
import { QuietReader } from "../../protocol/exchange/quiet_reader.ts";
import { decodePacket } from "../../protocol/wire/packet.ts";
import { assertEquals, assertRejectsCode, assertStringIncludes } from "../support/assert.ts";
import { type FakeServer, startFakeServer } from "./fake_server.ts";

/** Answers with what `answer` says; ends the connection where it says nothing, or says to end it behind its answer. */
function answering(
  asked: string[],
  answer: (question: string, connection: number) => string | undefined,
  isLast = (_connection: number) => false,
): FakeServer {
  return startFakeServer(async (conn, number) => {
    const stream = new TcpStream(conn);
    const reader = new PacketReader(new QuietReader(stream), 50);
    for (let packet = await reader.next(); packet; packet = await reader.next()) {
      const { command, contents } = decodePacket(packet.bytes);
      asked.push(`${number} ${command}|${contents}`);
      const text = answer(`${command}|${contents}`, number);
      if (text === undefined) return;
      await writePacket(stream, { command: "", contents: text });
      if (isLast(number)) return;
    }
  });
}

const ANSWERS: Readonly<Record<string, string>> = { "c|Peru": "Lima", "p|Peru": "34", "h|": "beat" };

Deno.test("capital, population and ping are asked again after a lost connection, and each retry is told", async () => {
  const asked: string[] = [];
  await using server = answering(asked, (question, number) => number < 2 ? undefined : ANSWERS[question]);
  const retries: [ErrorName, number][] = [];
  using client = new PacketClient(server, {
    retries: 2,
    retryWaitMs: 0,
    onRetry: (error, attempt) => retries.push([error.code, attempt]),
  });
  assertEquals(await client.capital("Peru"), "Lima");
  assertEquals([await client.population("Peru"), await client.ping() >= 0], [34, true]);
  assertEquals(asked, ["0 c|Peru", "1 c|Peru", "2 c|Peru", "2 p|Peru", "2 h|"]);
  assertEquals(retries, [["lost", 1], ["lost", 2]]);
});

Deno.test("a connection that ends between two questions is dialled again, and the count of failures begins anew", async () => {
  const asked: string[] = [];
  await using server = answering(asked, (question) => ANSWERS[question], () => true);
  using client = new PacketClient(server, { retries: 1, retryWaitMs: 0 });
  for (let count = 0; count < 4; count++) assertEquals(await client.capital("Peru"), "Lima");
  assertEquals(asked, [0, 1, 2, 3].map((number) => `${number} c|Peru`));
});

Deno.test("a client gives up after its retries, and a server that is gone meanwhile is a lost connection", async () => {
  for (const retries of [0, 2]) {
    const asked: string[] = [];
    await using server = answering(asked, () => undefined);
    using client = new PacketClient(server, { retries, retryWaitMs: 0 });
    const error = await assertRejectsCode(() => client.ping(), "lost");
    assertEquals([error.exit, asked.length], [4, retries + 1]);
  }
  const server = answering([], () => undefined);
  let gone: PromiseLike<void> | undefined;
  const onRetry = () => void (gone ??= server[Symbol.asyncDispose]());
  using client = new PacketClient(server, { retries: 3, retryWaitMs: 1, onRetry });
  assertStringIncludes((await assertRejectsCode(() => client.ping(), "lost")).message, "does not answer any more");
  await gone;
});

Deno.test("a server that was never there is tried once", async () => {
  const server = answering([], () => undefined);
  await server[Symbol.asyncDispose]();
  const retries: ErrorName[] = [];
  using client = new PacketClient(server, { retries: 3, retryWaitMs: 0, onRetry: ({ code }) => retries.push(code) });
  const error = await assertRejectsCode(() => client.ping(), "not_connected");
  assertEquals([error.exit, retries], [3, []]);
});

Deno.test("an addition is sent once, and told to be asked for; one that is answered succeeds", async () => {
  const asked: string[] = [];
  const added = "Mu and Hiranipura successfully added to database";
  await using server = answering(asked, (_question, number) => number === 0 ? undefined : added);
  using client = new PacketClient(server, { retries: 3, retryWaitMs: 0 });
  const add = () => client.add({ country: "Mu", capital: "Hiranipura" });
  const { advice } = await assertRejectsCode(add, "lost");
  assertEquals(
    advice,
    `It may have been added. Ask for it with: app capital 127.0.0.1 ${server.port} COUNTRY --wire packet`,
  );
  assertEquals(asked, ["0 a|Mu,Hiranipura"]);
  await add();
  assertEquals(asked.length, 2);
});

Deno.test("what is refused or not in the format is not asked again", async () => {
  const asked: string[] = [];
  await using server = answering(asked, (question) => question.startsWith("c|") ? "No country found." : "nonsense");
  using client = new PacketClient(server, { retries: 3, retryWaitMs: 0 });
  await assertRejectsCode(() => client.capital("Mu"), "not_found");
  await assertRejectsCode(() => client.population("Mu"), "malformed");
  assertEquals([asked.length, server.connections], [2, 1]);
});
