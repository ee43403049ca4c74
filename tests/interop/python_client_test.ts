/** `client.py` was written from protocol/README.md alone: that it gets along with the server proves the text. */
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { ServerProcess, temporaryDirectory } from "../support/program.ts";
import { type Random, withSeed } from "../support/random.ts";

const CLIENT = new URL("client.py", import.meta.url).pathname;
const BLOCK = 1 << 20;
const MTIME = new Date(1_700_000_000_123);

function findPython(): string | undefined {
  try {
    const { success } = new Deno.Command("python3", { args: ["--version"], stdout: "null", stderr: "null" })
      .outputSync();
    if (success) return "python3";
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  console.log("skipped: no python3");
}

const PYTHON = findPython();

interface Place {
  /** The shared directory. */
  readonly shared: string;
  /** Where the client's files are. */
  readonly local: string;
  readonly random: Random;
  /** Runs the client; what it printed, without the last line feed. */
  client(...args: string[]): Promise<{ code: number; signal: Deno.Signal | null; said: string }>;
  /** Runs lines of Python that have what client.py has, and a `session` with a deadline; what they printed. */
  script(...lines: string[]): Promise<string>;
}

const SCRIPT_START = `
from client import *
def frame():
    try: head = session.take(5); body = session.take(int.from_bytes(head[:3], "big")); session.take(4); return head[3], body
    except Exception as error: return type(error).__name__, str(error)
def open_session(Kind=Session):
    session = Kind("127.0.0.1", int(sys.argv[1]))
    signal.signal(signal.SIGALRM, lambda *_: (print("nothing came for 4 s"), os._exit(0)))
    signal.alarm(4)
    return session
`;

function test(name: string, body: (place: Place) => Promise<void>): void {
  Deno.test({
    name: `The Python client ${name}`,
    ignore: !PYTHON,
    fn: () =>
      withSeed(async (random) => {
        using shared = temporaryDirectory();
        using local = temporaryDirectory();
        await using server = await ServerProcess.start(shared.path);
        const client = async (...args: string[]) => {
          const { code, signal, stdout, stderr } = await new Deno.Command(PYTHON!, {
            args: ["-B", CLIENT, "127.0.0.1", server.port, ...args],
          }).output();
          assertEquals(new TextDecoder().decode(stderr), "");
          return { code, signal, said: new TextDecoder().decode(stdout).trimEnd() };
        };
        const script = async (...lines: string[]) => {
          const { stdout, stderr } = await new Deno.Command(PYTHON!, {
            args: ["-B", "-c", `${SCRIPT_START}\n${lines.join("\n")}`, server.port],
            env: { PYTHONPATH: new URL(".", import.meta.url).pathname },
          }).output();
          assertEquals(new TextDecoder().decode(stderr), "");
          return new TextDecoder().decode(stdout).trimEnd();
        };
        await body({ shared: shared.path, local: local.path, random, client, script });
      }),
  });
}

/** Writes `bytes` under `path`, with a time that is not now. */
async function write(path: string, bytes: Uint8Array): Promise<void> {
  await Deno.writeFile(path, bytes);
  await Deno.utime(path, MTIME, MTIME);
}

/** `path` has these bytes and the time of `write`. */
async function assertFile(path: string, bytes: Uint8Array): Promise<void> {
  const found = await Deno.readFile(path);
  assertEquals(found.length, bytes.length);
  assert(found.every((byte, index) => byte === bytes[index]), `${path} has other bytes`);
  assertEquals((await Deno.stat(path)).mtime, MTIME);
}

test("lists files and directories in order", async ({ shared, client }) => {
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
  assertEquals(await client("list", "sub"), { code: 0, signal: null, said: `file 7 ${+MTIME} c.txt` });
});

test("lists more entries than one message holds", async ({ shared, client }) => {
  const names = Array.from({ length: 3000 }, (_, index) => `${"long-name-".repeat(12)}${1000 + index}`);
  await Promise.all(names.map((name) => Deno.writeFile(`${shared}/${name}`, new Uint8Array())));
  const { code, said } = await client("list");
  assertEquals(code, 0);
  assertEquals(said.split("\n").map((line) => line.split(" ")[3]), names);
});

for (const [what, size] of [["an empty file", 0], ["one byte", 1], ["several MB", 5_000_003]] as const) {
  test(`gets ${what}`, async ({ shared, local, random, client }) => {
    const bytes = random.bytes(size);
    await write(`${shared}/file`, bytes);
    const { code, said } = await client("get", "file", `${local}/file`);
    assertMatch(said, new RegExp(`^stored ${size} \\d+ resumed 0$`));
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
  test(`puts ${what}`, async ({ shared, local, random, client }) => {
    const bytes = random.bytes(size);
    await write(`${local}/file`, bytes);
    const { code, said } = await client("put", `${local}/file`, "file");
    assertMatch(said, new RegExp(`^stored ${size} \\d+ resumed 0$`));
    assertEquals(code, 0);
    await assertFile(`${shared}/file`, bytes);
  });
}

test("goes on with a get where a partial of two blocks ends", async ({ shared, local, random, client }) => {
  const bytes = random.bytes(3.5 * BLOCK);
  await write(`${shared}/file`, bytes);
  await Deno.writeFile(`${local}/file.part`, bytes.subarray(0, 2 * BLOCK + 77));
  const { said } = await client("get", "file", `${local}/file`);
  assertMatch(said, new RegExp(`^stored ${bytes.length} \\d+ resumed ${2 * BLOCK}$`));
  await assertFile(`${local}/file`, bytes);
});

test("goes on with a get before the first block that is wrong", async ({ shared, local, random, client }) => {
  const bytes = random.bytes(3.5 * BLOCK);
  await write(`${shared}/file`, bytes);
  const partial = bytes.slice(0, 2 * BLOCK);
  partial[BLOCK + random.below(BLOCK)]! ^= 1;
  await Deno.writeFile(`${local}/file.part`, partial);
  const { said } = await client("get", "file", `${local}/file`);
  assertMatch(said, new RegExp(`^stored ${bytes.length} \\d+ resumed ${BLOCK}$`));
  await assertFile(`${local}/file`, bytes);
});

test("gets nothing again of which it holds every block", async ({ shared, local, random, client }) => {
  const bytes = random.bytes(2 * BLOCK);
  await write(`${shared}/file`, bytes);
  await Deno.writeFile(`${local}/file.part`, bytes);
  const { said } = await client("get", "file", `${local}/file`);
  assertMatch(said, new RegExp(`^stored ${bytes.length} \\d+ resumed ${bytes.length}$`));
  await assertFile(`${local}/file`, bytes);
});

test("goes on with a put that was killed", async ({ shared, local, random, client }) => {
  const bytes = random.bytes(3.5 * BLOCK);
  await write(`${local}/file`, bytes);
  const first = await client("put", `${local}/file`, "file", "--stop-after", String(2 * BLOCK));
  assertEquals(first, { code: 137, signal: "SIGKILL", said: "" });
  let second = await client("put", `${local}/file`, "file");
  while (second.said.startsWith("error 32 ")) second = await client("put", `${local}/file`, "file"); // busy: retriable
  const offset = Number(/^stored \d+ \d+ resumed (\d+)$/.exec(second.said)?.[1]);
  assert(offset > 0 && offset <= 2 * BLOCK + 262_144 && offset % BLOCK === 0, second.said);
  await assertFile(`${shared}/file`, bytes);
  assertEquals([...Deno.readDirSync(shared)].map((entry) => entry.name), ["file"]);
});

test("starts a put anew when the file was changed since it was killed", async ({ shared, local, random, client }) => {
  await write(`${local}/file`, random.bytes(3.5 * BLOCK));
  await client("put", `${local}/file`, "file", "--stop-after", String(2 * BLOCK));
  const bytes = random.bytes(3.5 * BLOCK);
  await write(`${local}/file`, bytes); // of the same size and time: only the digests tell
  let second = await client("put", `${local}/file`, "file");
  while (second.said.startsWith("error 32 ")) second = await client("put", `${local}/file`, "file");
  assertMatch(second.said, / resumed 0$/);
  await assertFile(`${shared}/file`, bytes);
});

test("puts, lists and gets a name with letters beyond ASCII", async ({ shared, local, random, client }) => {
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

test("reports that a file is missing", async ({ local, client }) => {
  const { code, said } = await client("get", "missing", `${local}/file`);
  assertMatch(said, /^error 10 ./);
  assertEquals(code, 1);
  assertEquals([...Deno.readDirSync(local)], []);
});

test("reports that a name is taken, also for a file of many blocks", async ({ shared, local, random, client }) => {
  await write(`${shared}/file`, new Uint8Array(3));
  for (const size of [10, 9 * BLOCK]) {
    await write(`${local}/file`, random.bytes(size));
    const { code, said } = await client("put", `${local}/file`, "file");
    assertMatch(said, /^error 11 ./);
    assertEquals(code, 1);
  }
  await assertFile(`${shared}/file`, new Uint8Array(3));
});

test("reports a name that breaks the rule", async ({ local, client }) => {
  await write(`${local}/file`, new Uint8Array(3));
  for (const name of ["../file", "/file", "a//b", "a\\b", "nul.txt", ".app-x", "end.", "e\u0301"]) {
    assertMatch((await client("put", `${local}/file`, name)).said, /^error 15 ./, name);
  }
});

// What the text promises beyond what the client's commands need.

test("hears the pong of a single ping", async ({ script }) => {
  const said = await script(
    "session = open_session()",
    "session.send(PING, {1: 7})",
    "kind, body = frame()",
    "print(kind, uint(unpack(body), 1) if kind == PONG else body)",
  );
  assertEquals(said, "3 7");
});

test("hears the pong of a single ping while a get waits for its accept", async ({ shared, script }) => {
  await write(`${shared}/file`, new Uint8Array(3));
  const said = await script(
    "session = open_session()",
    "session.send(GET, {1: 'file'})",
    "session.expect(OFFER)",
    "session.send(PING, {1: 7})",
    "kind, body = frame()",
    "print(kind, uint(unpack(body), 1) if kind == PONG else body)",
  );
  assertEquals(said, "3 7");
});

test("is told `order` for a request before hello", async ({ script }) => {
  const said = await script(
    "class Silent(Session):",
    "    def send(self, kind, body=b''): kind == HELLO or super().send(kind, body)",
    "session = open_session(Silent)",
    "session.send(LIST, {1: ''})",
    "kind, body = frame()",
    "print(kind, uint(unpack(body), 1) if kind == GOODBYE else body)",
  );
  assertEquals(said, "4 3");
});

test("is told `damaged` in a goodbye for a hello that differs from the opening", async ({ script }) => {
  const said = await script(
    "class Other(Session):",
    "    def send(self, kind, body=b''): super().send(kind, {1: b'a', 2: b'b'} if kind == HELLO else body)",
    "session = open_session(Other)",
    "kind, body = frame()",
    "print(kind, uint(unpack(body), 1) if kind == GOODBYE else body)",
  );
  assertEquals(said, "4 2");
});

test("is told `malformed` for data without a byte", async ({ script }) => {
  const said = await script(
    "session = open_session()",
    "session.send(OFFER, {1: 'file', 2: 5, 3: 1000, 4: True})",
    "session.send(DATA, b'')",
    "kind, body = frame()",
    "print(kind, uint(unpack(body), 1) if kind == GOODBYE else body)",
  );
  assertEquals(said, "4 1");
});

test("finds the last part of the name in the reply to stat", async ({ shared, script }) => {
  await Deno.mkdir(`${shared}/sub`);
  await write(`${shared}/sub/file`, new Uint8Array(3));
  const said = await script(
    "session = open_session()",
    "session.send(0x22, {1: 'sub/file'})",
    "print(text(unpack(session.expect(ENTRIES)[1][1][0]), 1))",
  );
  assertEquals(said, "file");
});
