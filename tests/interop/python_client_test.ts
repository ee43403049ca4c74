/** `client.py` was written from protocol/README.md alone: that it gets along with the server proves the text. */
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { MTIME, test, write } from "./python.ts";

const BLOCK = 1 << 20;

/** `path` has these bytes and the time of `write`. */
async function assertFile(path: string, bytes: Uint8Array): Promise<void> {
  const found = await Deno.readFile(path);
  assertEquals(found.length, bytes.length);
  assert(found.every((byte, index) => byte === bytes[index]), `${path} has other bytes`);
  assertEquals((await Deno.stat(path)).mtime, MTIME);
}

test("The Python client lists files and directories in order", async ({ shared, client }) => {
  await write(`${shared}/b.txt`, new Uint8Array(5));
  await write(`${shared}/a.txt`, new Uint8Array(0));
  await write(`${shared}/.hidden`, new Uint8Array(1));
  await Deno.mkdir(`${shared}/sub`);
  await write(`${shared}/sub/c.txt`, new Uint8Array(7));
  const { code, said } = await client("list");
  assertEquals(code, 0, said);
  const lines = said.split("\n");
  assertEquals(lines.slice(0, 2), [`file 0 ${+MTIME} a.txt`, `file 5 ${+MTIME} b.txt`]);
  assertMatch(lines[2]!, /^directory 0 \d+ sub$/);
  assertEquals(lines.length, 3);
  assertEquals(await client("list", "sub"), { code: 0, said: `file 7 ${+MTIME} c.txt` });
});

test("The Python client lists more entries than one message holds", async ({ shared, client }) => {
  const names = Array.from({ length: 1100 }, (_, index) => `${"long-name-".repeat(24)}${1000 + index}`);
  for (const name of names) Deno.writeFileSync(`${shared}/${name}`, new Uint8Array());
  const { code, said } = await client("list");
  assertEquals(code, 0);
  assertEquals(said.split("\n").map((line) => line.split(" ")[3]), names);
});

for (const [what, size] of [["an empty file", 0], ["one byte", 1], ["several MB", 5_000_003]] as const) {
  test(`The Python client gets ${what}`, async ({ shared, local, random, client }) => {
    const bytes = random.bytes(size);
    await write(`${shared}/file`, bytes);
    const { code, said } = await client("get", "file", `${local}/file`);
    assertMatch(said, new RegExp(`^stored ${size} resumed 0$`));
    assertEquals(code, 0);
    await assertFile(`${local}/file`, bytes);
  });
}

for (
  const [what, size] of [["an empty file", 0], ["a small file", 1234], ["one block", BLOCK], [
    "3.5 MiB",
    3.5 * BLOCK,
  ]] as const
) {
  test(`The Python client puts ${what}`, async ({ shared, local, random, client }) => {
    const bytes = random.bytes(size);
    await write(`${local}/file`, bytes);
    const { code, said } = await client("put", `${local}/file`, "file");
    assertMatch(said, new RegExp(`^stored ${size} resumed 0$`));
    assertEquals(code, 0);
    await assertFile(`${shared}/file`, bytes);
  });
}

test("The Python client goes on with a get where a partial of two blocks ends", async ({ shared, local, random, client }) => {
  const bytes = random.bytes(3.5 * BLOCK);
  await write(`${shared}/file`, bytes);
  await Deno.writeFile(`${local}/file.part`, bytes.subarray(0, 2 * BLOCK + 77));
  const { said } = await client("get", "file", `${local}/file`);
  assertMatch(said, new RegExp(`^stored ${bytes.length} resumed ${2 * BLOCK}$`));
  await assertFile(`${local}/file`, bytes);
});

test("The Python client goes on with a get before the first block that is wrong", async ({ shared, local, random, client }) => {
  const bytes = random.bytes(3.5 * BLOCK);
  await write(`${shared}/file`, bytes);
  const partial = bytes.slice(0, 2 * BLOCK);
  partial[BLOCK + random.below(BLOCK)]! ^= 1;
  await Deno.writeFile(`${local}/file.part`, partial);
  const { said } = await client("get", "file", `${local}/file`);
  assertMatch(said, new RegExp(`^stored ${bytes.length} resumed ${BLOCK}$`));
  await assertFile(`${local}/file`, bytes);
});

test("The Python client gets nothing again of which it holds every block", async ({ shared, local, random, client }) => {
  const bytes = random.bytes(2 * BLOCK);
  await write(`${shared}/file`, bytes);
  await Deno.writeFile(`${local}/file.part`, bytes);
  const { said } = await client("get", "file", `${local}/file`);
  assertMatch(said, new RegExp(`^stored ${bytes.length} resumed ${bytes.length}$`));
  await assertFile(`${local}/file`, bytes);
});

test("The Python client goes on with a put that was killed", async ({ shared, local, random, client }) => {
  const bytes = random.bytes(3.5 * BLOCK);
  await write(`${local}/file`, bytes);
  const first = await client("put", `${local}/file`, "file", "--stop-after", String(2 * BLOCK));
  assertEquals(first, { code: 1, said: "" });
  let second = await client("put", `${local}/file`, "file");
  while (second.said.startsWith("error 32 ")) second = await client("put", `${local}/file`, "file"); // busy: retriable
  const offset = Number(/^stored \d+ resumed (\d+)$/.exec(second.said)?.[1]);
  assert(offset > 0 && offset <= 2 * BLOCK + 262_144 && offset % BLOCK === 0, second.said);
  await assertFile(`${shared}/file`, bytes);
  assertEquals([...Deno.readDirSync(shared)].map((entry) => entry.name), ["file"]);
});

test("The Python client starts a put anew when the file was changed since it was killed", async ({ shared, local, random, client }) => {
  await write(`${local}/file`, random.bytes(3.5 * BLOCK));
  await client("put", `${local}/file`, "file", "--stop-after", String(2 * BLOCK));
  const bytes = random.bytes(3.5 * BLOCK);
  await write(`${local}/file`, bytes); // of the same size and time: only the digests tell
  let second = await client("put", `${local}/file`, "file");
  while (second.said.startsWith("error 32 ")) second = await client("put", `${local}/file`, "file");
  assertMatch(second.said, / resumed 0$/);
  await assertFile(`${shared}/file`, bytes);
});

test("The Python client puts, lists and gets a name with letters beyond ASCII", async ({ shared, local, random, client }) => {
  const bytes = random.bytes(1000);
  const name = "Grüße/日本語 ☃ 🎈.txt";
  await Deno.mkdir(`${shared}/Grüße`);
  await write(`${local}/file`, bytes);
  assertEquals((await client("put", `${local}/file`, name)).code, 0);
  await assertFile(`${shared}/${name}`, bytes);
  assertEquals((await client("list", "Grüße")).said, `file 1000 ${+MTIME} 日本語 ☃ 🎈.txt`);
  assertEquals((await client("get", name, `${local}/back`)).code, 0);
  await assertFile(`${local}/back`, bytes);
});

test("The Python client reports that a file is missing", async ({ local, client }) => {
  const { code, said } = await client("get", "missing", `${local}/file`);
  assertMatch(said, /^error 10 ./);
  assertEquals(code, 1);
  assertEquals([...Deno.readDirSync(local)], []);
});

test("The Python client reports that a name is taken, also for a file of many blocks", async ({ shared, local, random, client }) => {
  await write(`${shared}/file`, new Uint8Array(3));
  for (const size of [10, 9 * BLOCK]) {
    await write(`${local}/file`, random.bytes(size));
    const { code, said } = await client("put", `${local}/file`, "file");
    assertMatch(said, /^error 11 ./);
    assertEquals(code, 1);
  }
  await assertFile(`${shared}/file`, new Uint8Array(3));
});

test("The Python client reports a name that breaks the rule", async ({ local, client }) => {
  await write(`${local}/file`, new Uint8Array(3));
  const names = ["../file", "/file", "a//b", "a\\b", "nul.txt", ".app-x", "end.", "e\u0301"];
  await Promise.all(names.map(async (name) => {
    assertMatch((await client("put", `${local}/file`, name)).said, /^error 15 ./, name);
  }));
});
