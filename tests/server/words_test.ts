/** Requests in words, for a person with `nc`. */
import { assertEquals, assertMatch } from "../support/assert.ts";
import { exchange, startServed } from "./served.ts";

const FILES = { "a.txt": "1", "photos/img 1.jpg": "22", "photos/deep/x": "", ".hidden": "" };

Deno.test("ping is answered with a beat, however its line ends", async () => {
  await using served = startServed();
  for (const line of ["APP/1 ping\n", "APP/1 ping\r\n", "APP/1 ping and more\n"]) {
    assertEquals(await exchange(served.port, line), "APP/1 ok\nbeat\n");
  }
  assertEquals(served.records.map(({ request, name, result }) => [request, name, result]), [
    ["words", "ping", "done"],
    ["words", "ping", "done"],
    ["words", "ping and more", "done"],
  ]);
});

Deno.test("list shows a directory as text, with spaces in names", async () => {
  await using served = startServed(FILES);
  assertEquals(await exchange(served.port, "APP/1 list\n"), "APP/1 ok\na.txt\nphotos/\n");
  assertEquals(await exchange(served.port, "APP/1 list photos\n"), "APP/1 ok\ndeep/\nimg 1.jpg\n");
  assertEquals(await exchange(served.port, "APP/1 list photos/deep\n"), "APP/1 ok\nx\n");
  Deno.mkdirSync(`${served.root}/two words`);
  assertEquals(await exchange(served.port, "APP/1 list two words\n"), "APP/1 ok\n");
});

Deno.test("list of what is not there, or may not be named, is refused by name", async () => {
  await using served = startServed(FILES);
  assertMatch(await exchange(served.port, "APP/1 list nowhere\n"), /^APP\/1 refused=not_found\n[^\n]+\n$/);
  assertMatch(await exchange(served.port, "APP/1 list ../..\n"), /^APP\/1 refused=bad_name\n[^\n]+\n$/);
  assertMatch(await exchange(served.port, "APP/1 list a.txt\n"), /^APP\/1 refused=not_a_directory\n[^\n]+\n$/);
  assertEquals(served.records.map(({ result }) => result), ["not_found", "bad_name", "not_a_directory"]);
});

Deno.test("unknown words are refused once, in text, with what they were escaped", async () => {
  await using served = startServed();
  const answer = await exchange(served.port, "APP/1 make\u001b[31m coffee\n");
  assertMatch(answer, /^APP\/1 refused=unsupported\n[^\n]+\n$/);
  assertEquals(answer.includes("\u001b"), false);
  assertEquals(served.records.map(({ request, result }) => [request, result]), [["words", "unsupported"]]);
});

Deno.test("a line that begins as ours and goes on as nothing is refused by name", async () => {
  await using served = startServed();
  assertMatch(await exchange(served.port, "APP/1x\n"), /^APP\/1 refused=malformed\n/);
  assertMatch(await exchange(served.port, "APP/1 a=1 b\n"), /^APP\/1 refused=malformed\n/);
  assertMatch(
    await exchange(served.port, new Uint8Array([...new TextEncoder().encode("APP/1 list "), 255, 10])),
    /^APP\/1 refused=malformed\n/,
  );
  assertEquals(
    served.records.map(({ request, result }) => [request, result]),
    new Array(3).fill(["opening", "malformed"]),
  );
});
