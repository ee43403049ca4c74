/** The file of keys that a client remembers: one server a line, which a person may edit. */
import { KnownHostsFile } from "../../client/known_hosts.ts";
import { assertEquals, assertMatch, assertRejectsCode, assertStringIncludes } from "../support/assert.ts";
import { temporaryDirectory } from "../support/program.ts";
import { formatKey } from "../../protocol/tls/key.ts";

const [KEY, OTHER] = [1, 2].map((fill) => formatKey(new Uint8Array(32).fill(fill))) as [string, string];
const HOST = { host: "192.168.1.5", port: 6000 };

function open(directory: { path: string }, text?: string) {
  const path = `${directory.path}/known_hosts`;
  if (text !== undefined) Deno.writeTextFileSync(path, text);
  const faults: number[] = [];
  const remembered: string[] = [];
  const hosts = new KnownHostsFile({
    path,
    onFault: (_, line) => faults.push(line),
    onRemembered: (_, key) => void remembered.push(key),
  });
  return { path, hosts, faults, remembered, read: () => Deno.readTextFileSync(path) };
}

Deno.test("a key is remembered for its host and port, and forgotten when that is said", async () => {
  using directory = temporaryDirectory();
  const { hosts, remembered, read } = open(directory);
  assertEquals(await hosts.keyOf(HOST), undefined);
  await hosts.remember(HOST, KEY);
  assertEquals(read(), `192.168.1.5:6000 ${KEY}\n`);
  assertEquals((await hosts.keyOf(HOST))?.key, KEY);
  assertEquals(await hosts.keyOf({ ...HOST, port: 6001 }), undefined);
  await hosts.remember({ host: "::1", port: 7 }, KEY); // the same key elsewhere is one server with two names
  assertEquals(read(), `192.168.1.5:6000 ${KEY}\n[::1]:7 ${KEY}\n`);
  assertEquals(remembered, [KEY, KEY]);
  assertEquals(await hosts.forget(HOST), [KEY]);
  assertEquals(await hosts.forget(HOST), []);
  assertEquals(read(), `[::1]:7 ${KEY}\n`);
  assertEquals(await hosts.keyOf(HOST), undefined);
});

Deno.test("what is known of a key names the file and the line, and what to do when it is wrong", async () => {
  using directory = temporaryDirectory();
  const { hosts, path } = open(directory, `# mine\n\n${"example.org:6000"} ${KEY}\n`);
  const known = await hosts.keyOf({ host: "Example.ORG", port: 6000 });
  assertEquals(known?.which, `the key that is known for it ("${path}" line 3)`);
  assertEquals(
    known?.advice,
    "Ask its owner whether the key is a new one; only then run: app forget Example.ORG 6000",
  );
});

Deno.test("another key for a host that is known is not remembered", async () => {
  using directory = temporaryDirectory();
  const { hosts, read } = open(directory, `192.168.1.5:6000 ${KEY}\n`);
  await assertRejectsCode(() => hosts.remember(HOST, OTHER), "wrong_key");
  await hosts.remember(HOST, KEY);
  assertEquals(read(), `192.168.1.5:6000 ${KEY}\n`);
});

Deno.test("spellings of one address are one host, and a name is its own", async () => {
  using directory = temporaryDirectory();
  const { hosts } = open(directory);
  await hosts.remember({ host: "2001:DB8:0:0::1", port: 6000 }, KEY);
  assertEquals((await hosts.keyOf({ host: "2001:db8::1", port: 6000 }))?.key, KEY);
  await hosts.remember({ host: "fe80::1%eth0", port: 6000 }, OTHER);
  assertEquals((await hosts.keyOf({ host: "FE80::1%eth0", port: 6000 }))?.key, OTHER);
});

Deno.test("broken lines, comments and empty ones stay as they are; the broken ones are told, once", async () => {
  using directory = temporaryDirectory();
  const text = `# a comment\r\n\nnonsense\nexample.org:6000 tooshort\n  192.168.1.5:6000\t${KEY}  \nx:1 ${KEY} more`;
  const { hosts, faults, read } = open(directory, text);
  assertEquals((await hosts.keyOf(HOST))?.key, KEY);
  await hosts.remember({ host: "new", port: 1 }, OTHER);
  assertEquals(read(), `${text.replaceAll("\r", "")}\nnew:1 ${OTHER}\n`);
  assertEquals(faults, [3, 4, 6]);
});

Deno.test("a host whose line is broken, or that has two keys, is not spoken to before that is mended", async () => {
  using directory = temporaryDirectory();
  for (const text of [`192.168.1.5:6000 ${KEY.slice(1)}\n`, `192.168.1.5:6000 ${KEY}\n192.168.1.5:6000 ${OTHER}\n`]) {
    const { hosts } = open(directory, text);
    const error = await assertRejectsCode(() => hosts.keyOf(HOST), "failed");
    assertMatch(error.message, /^Cannot tell the key of 192\.168\.1\.5 6000 by ".*known_hosts" line 1: /);
    assertStringIncludes(error.advice, "Mend that file");
    await assertRejectsCode(() => hosts.remember(HOST, KEY), "failed");
    assertEquals(await hosts.keyOf({ ...HOST, port: 1 }), undefined);
  }
  const { hosts } = open(directory, `192.168.1.5:6000 ${KEY}\n192.168.1.5:6000 ${KEY}\n`);
  assertEquals((await hosts.keyOf(HOST))?.key, KEY, "twice the same is no doubt");
});

Deno.test("many who remember at once lose nothing", async () => {
  using directory = temporaryDirectory();
  const files = Array.from({ length: 10 }, () => open(directory).hosts);
  await Promise.all(files.map((hosts, port) => hosts.remember({ host: "h", port: port + 1 }, KEY)));
  for (const port of files.keys()) assertEquals((await files[0]!.keyOf({ host: "h", port: port + 1 }))?.key, KEY);
});
