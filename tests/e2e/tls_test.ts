/** Encrypted, as a person meets it: a server with a key, a client that remembers it, and what becomes of changes. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../support/assert.ts";
import { Middleman } from "../support/middleman.ts";
import { names } from "../support/names_in.ts";
import { type Outcome, runApp, type RunOptions, ServerProcess, temporaryDirectory } from "../support/program.ts";
import { HarmfulProxy } from "../support/proxy.ts";
import { Random } from "../support/random.ts";

const FINGERPRINT = /(?:[A-Z2-7]{4}-){6}[A-Z2-7]{2}/;
const OTHER_KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const BLOCK = 1_048_576;

/** A server with a key, a client's directory, and a place for what that client remembers. */
class Meeting implements AsyncDisposable {
  readonly shared = temporaryDirectory();
  readonly here = temporaryDirectory();
  readonly state = temporaryDirectory();
  server!: ServerProcess;

  static async start(args: readonly string[] = []): Promise<Meeting> {
    const meeting = new Meeting();
    Deno.writeTextFileSync(`${meeting.shared.path}/a.txt`, "content");
    meeting.server = await ServerProcess.start(meeting.shared.path, ["--identity", meeting.identity, ...args]);
    return meeting;
  }

  get identity(): string {
    return `${this.state.path}/server/identity.pem`;
  }

  get knownHosts(): string {
    return `${this.state.path}/app/known_hosts`;
  }

  /** Runs a command as that client; HOST PORT come behind its first word. */
  app(words: readonly string[], { port = this.server.port, ...options }: RunOptions & { port?: string } = {}) {
    const [command, ...rest] = words;
    return this.run([command!, "127.0.0.1", port, ...rest], options);
  }

  run(words: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    return runApp(words, { cwd: this.here.path, env: { XDG_STATE_HOME: this.state.path }, ...options });
  }

  know(port: string | number, key: string): void {
    Deno.mkdirSync(`${this.state.path}/app`, { recursive: true });
    Deno.writeTextFileSync(this.knownHosts, `127.0.0.1:${port} ${key}\n`, { append: true });
  }

  async key(): Promise<string> {
    const { stdout } = await this.run(["identity", "--identity", this.identity, "--json"]);
    return JSON.parse(stdout).key;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    for (const directory of [this.shared, this.here, this.state]) directory[Symbol.dispose]();
  }
}

Deno.test("a key is told at the first connection, remembered, and never told again", async () => {
  await using meeting = await Meeting.start();
  assertMatch(meeting.server.startLines.join("\n"), /, encrypted, key [A-Z2-7]{4}-…-[A-Z2-7]{2}$/m);
  const first = await meeting.app(["list"]);
  assertEquals([first.code, first.stdout], [0, "a.txt\n"]);
  assertMatch(
    first.stderr,
    new RegExp(`^The key of 127.0.0.1 \\d+ is remembered from now on: ${FINGERPRINT.source}\n$`),
  );
  assertEquals(await meeting.app(["list"]), { code: 0, stdout: "a.txt\n", stderr: "" });
  assertEquals(Deno.readTextFileSync(meeting.knownHosts), `127.0.0.1:${meeting.server.port} ${await meeting.key()}\n`);
  const { log } = await meeting.server.stop();
  assertEquals(Array.from(log.matchAll(/^\S+ \S+ \S+ (\w+) /gm), ([, request]) => request), [
    "opening",
    "list",
    "list",
  ]);
});

Deno.test("what is remembered is an event for programs", async () => {
  await using meeting = await Meeting.start();
  const { stdout, stderr } = await meeting.app(["list", "--json"]);
  const events = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(events.map(({ event }) => event), ["remembered", "entry"]);
  assertEquals(events[0].key, await meeting.key());
  assertMatch(events[0].fingerprint, FINGERPRINT);
  assertEquals([events[0].host, events[0].port, stderr], ["127.0.0.1", Number(meeting.server.port), ""]);
});

Deno.test("with --strict a server that is not known is refused, and one that is known is not", async () => {
  await using meeting = await Meeting.start();
  const { code, stderr } = await meeting.app(["list", "--strict"]);
  assertEquals(code, 3);
  assertMatch(stderr, /^The key of 127\.0\.0\.1 \d+ is not known here, and it tells /);
  assertMatch(stderr, FINGERPRINT);
  meeting.know(meeting.server.port, await meeting.key());
  assertEquals((await meeting.app(["list", "--strict"])).stdout, "a.txt\n");
  await using plain = await ServerProcess.start(meeting.shared.path);
  const refused = await meeting.app(["list", "--strict"], { port: plain.port });
  assertEquals(refused.code, 3, "what nobody can prove is no better in plain");
  assertStringIncludes(refused.stderr, "is not known here, and it tells none");
  assertEquals((await meeting.app(["list"], { port: plain.port })).stdout, "a.txt\n");
});

Deno.test("a key that is not the one that is known is refused, by file and line, until it is forgotten", async () => {
  await using meeting = await Meeting.start();
  Deno.mkdirSync(`${meeting.state.path}/app`);
  Deno.writeTextFileSync(meeting.knownHosts, "# keys\n");
  meeting.know(meeting.server.port, OTHER_KEY);
  const { port } = meeting.server;
  for (const words of [["list"], ["get", "a.txt"], ["capital", "France"], ["ping"]]) {
    const { code, stdout, stderr } = await meeting.app(words);
    assertEquals([code, stdout], [3, ""]);
    assertStringIncludes(
      stderr,
      `could not prove that it has the key that is known for it ("${meeting.knownHosts}" line 2)`,
    );
    assertStringIncludes(
      stderr,
      `Ask its owner whether the key is a new one; only then run: app forget 127.0.0.1 ${port}\n`,
    );
  }
  assertEquals((await meeting.app(["forget"])).stdout, `The key of 127.0.0.1 ${port} is forgotten.\n`);
  assertEquals((await meeting.app(["forget"])).code, 1);
  assertEquals((await meeting.app(["list"])).code, 0);
  assertEquals(Deno.readTextFileSync(meeting.knownHosts).split("\n")[0], "# keys");
});

Deno.test("a server that is known is never spoken to in plain, whatever answers there, and in whatever format", async () => {
  await using meeting = await Meeting.start(["--wire", "app,share,packet,greeting,image"]);
  await using between = new Middleman({ answer: "APP/1 agent=app/0.1.0 data-max=262144\n" });
  for (const port of [between.port, meeting.server.port]) meeting.know(port, await meeting.key());
  const { code, stderr } = await meeting.app(["list"], { port: String(between.port) });
  assertEquals(code, 1);
  assertMatch(stderr, /speaks no TLS, and nothing was sent to it\nCheck the port\. If it is right, ask its owner why/);
  const heard = between.received.length;
  for (
    const words of [["get", "a.txt", "--wire", "share"], ["list", "--wire", "share"], ["greet", "7"], [
      "ping",
      "--wire",
      "packet",
    ]]
  ) {
    for (const port of [String(between.port), meeting.server.port]) {
      const refused = await meeting.app(words, { port });
      assertEquals(refused.code, 1);
      assertMatch(refused.stderr, /^Cannot speak an old format with 127\.0\.0\.1 \d+: none is encrypted\n/);
    }
  }
  assertEquals([between.received.length, between.heard.includes("APP/")], [heard, false]);
  // Who does not know it may speak them, since the server's owner said so.
  const other = await meeting.app(["list", "--wire", "share"], { env: { XDG_STATE_HOME: meeting.here.path } });
  assertEquals([other.code, other.stdout], [0, "a.txt\n"]);
});

Deno.test("files travel both ways, go on after a cut, and arrive whole", async () => {
  await using meeting = await Meeting.start();
  const content = new Random(9).bytes(16 * BLOCK + 99);
  Deno.writeFileSync(`${meeting.shared.path}/big.bin`, content);
  Deno.writeFileSync(`${meeting.here.path}/mine.bin`, content);
  for (const [direction, words] of [["to client", ["get", "big.bin"]], ["to server", ["put", "mine.bin"]]] as const) {
    await using proxy = new HarmfulProxy(meeting.server.port, { direction, offset: 9 * BLOCK, kind: "cut" });
    meeting.know(proxy.port, await meeting.key());
    const { code, stdout, stderr } = await meeting.app([...words, "--json"], { port: proxy.port });
    assertEquals(code, 0, stderr);
    const events = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
    assert(events.some(({ event }) => event === "retry"), stdout);
    assert(events.at(-1).resumedBytes >= BLOCK, stdout);
  }
  assertEquals(Deno.readFileSync(`${meeting.here.path}/big.bin`), content);
  assertEquals(Deno.readFileSync(`${meeting.shared.path}/mine.bin`), content);
  assertEquals(names(meeting.shared.path), ["a.txt", "big.bin", "mine.bin"]);
});

Deno.test("pipes, directories, countries, heartbeats and the shell are the same as in plain", async () => {
  await using meeting = await Meeting.start(["--allow-remove"]);
  meeting.know(meeting.server.port, await meeting.key());
  const stdin = new Random(4).bytes(2_000_000);
  assertEquals((await meeting.app(["put", "-", "--as", "d/piped.bin"], { stdin })).code, 0);
  assertEquals(Deno.readFileSync(`${meeting.shared.path}/d/piped.bin`), stdin);
  const shell = [
    "list d",
    "mkdir e",
    "move a.txt e/b.txt",
    "stat e/b.txt",
    "capital France",
    "population Peru",
    "ping",
  ];
  const lines = new TextEncoder().encode(shell.map((line) => `${line}\n`).join(""));
  const { code, stdout, stderr } = await meeting.app(["shell"], { stdin: lines });
  assertEquals(code, 0, stderr);
  assertMatch(stdout, /^piped\.bin\n[^]*e\/b\.txt\nParis\n\d+\nbeat\n$/);
  assertEquals((await meeting.app(["get", "e/b.txt", "--output", "-"])).stdout, "content");
  const { log } = await meeting.server.stop();
  assert(!log.includes("tls_required") && !log.includes("lost"), log);
});

Deno.test("a person with nc is told what to do", async () => {
  await using meeting = await Meeting.start();
  using conn = await Deno.connect({ hostname: "127.0.0.1", port: Number(meeting.server.port) });
  await conn.write(new TextEncoder().encode("APP/1 list\n"));
  const text = await new Response(conn.readable).text();
  const [line, ...words] = text.trimEnd().split("\n");
  assertEquals(line, `APP/1 refused=tls_required key=${await meeting.key()}`);
  assertMatch(words.join("\n"), /only speaks TLS.*\nAsk the server's owner for a link$/);
});

Deno.test("identity shows the key, makes a new one when that is said, and says what that breaks", async () => {
  await using meeting = await Meeting.start();
  const identity = (...words: string[]) => meeting.run(["identity", "--identity", meeting.identity, ...words]);
  const shown = await identity();
  assertMatch(shown.stdout, new RegExp(`^Key: [\\w-]{43}\nFingerprint: ${FINGERPRINT.source}\n$`));
  assertEquals([shown.code, shown.stderr, await identity()], [0, "", shown]);
  const renewed = await identity("--renew");
  assert(renewed.stdout !== shown.stdout);
  assertMatch(renewed.stderr, /Links .* do not work any more[^]*app forget HOST PORT[^]*Servers that run now/);
  assertEquals((await identity()).stdout, renewed.stdout);
  Deno.chmodSync(meeting.identity, 0o644);
  const open = await identity();
  assertEquals(open.code, 1);
  assertMatch(open.stderr, /others may read or change it \(mode 644\)\nRun: chmod 600 /);
  const serve = await runApp(["serve", meeting.shared.path, "--port", "0", "--identity", meeting.identity]);
  assertEquals([serve.code, serve.stdout], [1, ""]);
});

Deno.test("a link made after the key was renewed has the new one, and one of a server with another key keeps that", async () => {
  using state = temporaryDirectory();
  using shared = temporaryDirectory();
  using other = temporaryDirectory();
  const env = { XDG_STATE_HOME: state.path };
  const identity = `${state.path}/app/identity.pem`;
  const keyOf = async (root: string) => /#([\w-]{43})\./.exec((await runApp(["link", root], { env })).stdout)![1]!;
  const start = (root: string, ...more: string[]) => ServerProcess.start(root, ["--closed", ...more], { env });
  await (await start(shared.path)).stop();
  await (await start(other.path, "--identity", `${state.path}/other.pem`)).stop();
  const before = [await keyOf(shared.path), await keyOf(other.path)];
  Deno.chmodSync(identity, 0o644); // others may have it: why people make a new one
  const renewed = await runApp(["identity", "--renew"], { env });
  assertEquals(renewed.code, 0, renewed.stderr);
  const key = /^Key: (.*)$/m.exec(renewed.stdout)![1]!;
  assert(key !== before[0]);
  assertEquals([await keyOf(shared.path), await keyOf(other.path)], [key, before[1]]);
  await using server = await start(shared.path);
  const { stdout } = await runApp(["link", shared.path], { env });
  assertEquals(await runApp(["list", stdout.trim()], { env }), { code: 0, stdout: "", stderr: "" });
  await server.stop();
});

Deno.test("a server on this machine alone has no key, and writes none", async () => {
  using state = temporaryDirectory();
  using shared = temporaryDirectory();
  await using server = await ServerProcess.start(shared.path, [], { env: { XDG_STATE_HOME: state.path } });
  const { stderr } = await runApp(["list", "127.0.0.1", server.port], { env: { XDG_STATE_HOME: state.path } });
  assertEquals([stderr, names(state.path)], ["", []]);
  assert(!server.startLines.join("\n").includes("encrypted"));
});

Deno.test("a closed server has a key of its own accord, and its link leads there and nowhere else", async () => {
  await using meeting = await Meeting.start();
  const env = { XDG_STATE_HOME: `${meeting.state.path}/closed` };
  await using server = await ServerProcess.start(meeting.shared.path, ["--closed"], { env });
  assert(names(`${env.XDG_STATE_HOME}/app`).includes("identity.pem"));
  const link = /^Read: {2}app get (\S+)$/m.exec(server.startLines.join("\n"))![1]!;
  const secret = link.split(".").at(-1)!;
  await using between = new Middleman({ targetPort: Number(server.port) });
  const throughBetween = link.replace(`:${server.port}/`, `:${between.port}/`);
  assertEquals((await meeting.run(["get", throughBetween, "--output", "-"])).stdout, "content");
  assert(between.heard.length > 0 && !between.heard.includes("APP/") && !between.heard.includes(secret));
  const stranger = await meeting.app(["get", "a.txt"], { port: server.port });
  assertEquals([stranger.code, stranger.stdout], [1, ""]);
  assertStringIncludes(stranger.stderr, 'May not read "a.txt": it needs a link');
  const elsewhere = link.replace(`:${server.port}/`, `:${meeting.server.port}/`);
  const refused = await meeting.run(["get", elsewhere, "--output", "-"]);
  assertEquals([refused.code, refused.stdout], [3, ""]);
  assertStringIncludes(refused.stderr, "could not prove that it has the key of the link; nothing was sent to it");
  assertEquals((await meeting.run(["stat", throughBetween, "--strict"])).code, 0, "a link has the key");
});
