/** A server that lies in every name that it says: the client neither shows nor uses any but sound ones. */
import { CLIENT_COMMANDS } from "../../client/commands/mod.ts";
import { SessionHolder } from "../../client/session_holder.ts";
import { Client, getFile, intoTree, LocalTree, putFile } from "../../client/mod.ts";
import { Report } from "../../client/report.ts";
import type { Completion } from "../../client/shell/completion.ts";
import type { Input, Lines } from "../../client/shell/lines.ts";
import { Shell } from "../../client/shell/shell.ts";
import { main } from "../../main.ts";
import { AppError } from "../../protocol/errors.ts";
import type { Session } from "../../protocol/exchange/session.ts";
import { nameFault } from "../../protocol/names.ts";
import { crc32 } from "../../protocol/wire/crc32.ts";
import { FakeTerminal, NEVER_INTERRUPTED } from "../cli/fake_terminal.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { names as namesIn } from "../support/names_in.ts";
import { Neighbourhood } from "../support/neighbourhood.ts";
import { type FakeServer, sendData, startFakeSessions } from "./fake_server.ts";

const CONTENT = new TextEncoder().encode("content");
const OPTIONS = {
  timeout: 10,
  retries: 0,
  strict: false,
  json: false,
  quiet: false,
  "if-exists": "error",
  "link-file": undefined,
} as const;

/** Answers every request with names from `lies`: a list with all of them, all else with the next one. */
function startLiar(lies: readonly string[]): FakeServer {
  let told = 0;
  return startFakeSessions(async (session) => {
    for (let request = await session.nextRequest(); request; request = await session.nextRequest()) {
      const name = lies[told++ % lies.length]!;
      const numbers = { sizeBytes: CONTENT.length, crc: crc32(CONTENT) };
      if (request.type === "get") await sendAs(session, name);
      else if (request.type === "offer") await takeAs(session, name);
      else if (request.type === "list") sendList(session, lies);
      else if (request.type === "stat") sendList(session, [name]);
      else if (request.type === "digest") session.send({ type: "checksum", ...numbers, blake2b: new Uint8Array(64) });
      else session.send({ type: "done", name });
    }
  });
}

async function sendAs(session: Session, name: string): Promise<void> {
  session.send({ type: "offer", name, sizeBytes: CONTENT.length, eager: true });
  await sendData(session, CONTENT);
  session.send({ type: "end", sizeBytes: CONTENT.length, crc: crc32(CONTENT) });
  const { type } = await session.receive();
  assert(type === "stored" || type === "error", type);
}

async function takeAs(session: Session, name: string): Promise<void> {
  while ((await session.receive()).type !== "end");
  session.send({ type: "stored", name, sizeBytes: CONTENT.length, crc: crc32(CONTENT) });
}

function sendList(session: Session, names: readonly string[]): void {
  for (let start = 0; start < names.length; start += 100) {
    const entries = names.slice(start, start + 100).map((name) => ({ name, kind: 0 }));
    session.send({ type: "entries", entries });
  }
  session.send({ type: "done" });
}

/** A name that a client may show, and a person may ask for next. */
function assertSound(name: string): void {
  assertEquals([nameFault(name), name.includes("/")], [undefined, false], JSON.stringify(name));
}

interface Stage extends AsyncDisposable {
  readonly around: Neighbourhood;
  readonly lies: readonly string[];
  readonly server: FakeServer;
  readonly client: Client;
}

function openStage(lengthMax: number): Stage {
  const around = new Neighbourhood();
  const lies = [...around.traps(lengthMax).filter((name) => name.isWellFormed()), "sound"];
  const server = startLiar(lies);
  const client = new Client(server, { retries: 0 });
  return {
    around,
    lies,
    server,
    client,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      around[Symbol.dispose]();
    },
  };
}

Deno.test("a list shows the sound names of a server that lies, and counts the others", async () => {
  await using stage = openStage(4);
  const { lies, server, client } = stage;
  const batches = await Array.fromAsync(client.list(""));
  const shown = batches.flatMap(({ entries }) => entries.map(({ name }) => name));
  shown.forEach(assertSound);
  assert(shown.includes("sound") && shown.includes("%2e") && shown.length > 1_000);
  assertEquals(shown.length + batches.reduce((sum, { hidden }) => sum + hidden, 0), lies.length);

  const terminal = new FakeTerminal();
  assertEquals(await main(["list", "127.0.0.1", String(server.port), "--json"], terminal, NEVER_INTERRUPTED), 0);
  assertEquals(terminal.events.map(({ name }) => name), shown);
});

Deno.test("a get stores what it asked for under the name that it asked for, whatever the server calls it", async () => {
  await using stage = openStage(3);
  const { around, lies, server, client } = stage;
  const tree = new LocalTree(around.root);
  for (const _ of lies) {
    const { name } = await getFile(client, "asked", intoTree(tree, "asked", "replace"));
    assertEquals(name, "asked");
  }
  const words = ["get", "127.0.0.1", String(server.port), "dir/asked", "asked", `--output=${around.root}/sub/`];
  assertEquals(await main(words, new FakeTerminal(), NEVER_INTERRUPTED), 0);
  around.assertUntouched();
  assertEquals(namesIn(around.root), ["asked", "file", "sub"]);
  assertEquals([namesIn(`${around.root}/sub`), namesIn(`${around.root}/sub/dir`)], [["asked", "dir"], ["asked"]]);
});

Deno.test("a put and a move end with a sound name or an error, whatever the server says", async () => {
  await using stage = openStage(3);
  const { around, lies, client } = stage;
  Deno.writeFileSync(`${around.root}/file`, CONTENT);
  const asks = [
    async () => (await putFile(client, `${around.root}/file`, "put")).name,
    () => client.move("from", "to"),
  ];
  let sound = 0;
  for (const ask of asks) {
    for (const _ of lies) {
      const end = await ask().catch((error) => error);
      if (typeof end === "string") assertEquals([nameFault(end), sound++ >= 0], [undefined, true]);
      else assert(end instanceof AppError && end.code === "bad_name", String(end));
    }
  }
  assert(sound > 100, `only ${sound} names were sound`);
  around.assertUntouched();
});

/** One question for completion, and what the answer was. */
class OneCompletion implements Lines {
  readonly answered = Promise.withResolvers<Completion>();
  readonly #line: string;
  #isAsked = false;

  constructor(line: string) {
    this.#line = line;
  }

  next(): Promise<Input> {
    if (this.#isAsked) return Promise.resolve({ kind: "end" });
    this.#isAsked = true;
    return Promise.resolve({ kind: "complete", line: this.#line, answer: this.answered.resolve });
  }

  tell(write: () => void): void {
    write();
  }

  [Symbol.dispose](): void {}
}

Deno.test("a shell completes to sound names only, and a get of each stays where it is told to", async () => {
  await using stage = openStage(2);
  const { around, server } = stage;
  const commands = await Promise.all(Object.values(CLIENT_COMMANDS).map((load) => load()));
  const terminal = new FakeTerminal();
  await using holder = new SessionHolder();
  const input = { words: [], options: OPTIONS, terminal, interruption: NEVER_INTERRUPTED, version: "test" };
  const shell = new Shell({ commands, input, target: server, holder, report: new Report(terminal, OPTIONS) });
  const lines = new OneCompletion(`get --output=${around.root}/ `);
  await shell.run(lines, new AbortController().signal);
  const [hits] = await lines.answered.promise;
  assert(hits.length > 20, `only ${hits.length} names`);
  for (const hit of hits) {
    const given: Input[] = [{ kind: "line", text: `get --output=${around.root}/ ${hit}` }, { kind: "end" }];
    const typed: Lines = { next: () => Promise.resolve(given.shift()!), tell() {}, [Symbol.dispose]() {} };
    assertEquals(await shell.run(typed, new AbortController().signal), 0, terminal.noted);
  }
  around.assertUntouched();
  assertEquals(namesIn(around.root).length, hits.length + 1);
});
