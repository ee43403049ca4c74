/** Every request of every format, with every name that traps are made of: nothing around the root is seen or touched. */
import { receiveFile } from "../../protocol/exchange/receiver.ts";
import { sendFile } from "../../protocol/exchange/sender.ts";
import type { Session } from "../../protocol/exchange/session.ts";
import type { Message, MessageOf } from "../../protocol/wire/messages/mod.ts";
import { AppError, ERRORS } from "../../protocol/errors.ts";
import { nameFault } from "../../protocol/names.ts";
import { serve, type Server } from "../../server/mod.ts";
import { MemoryDraft, MemorySource } from "../exchange/memory_files.ts";
import { assert, assertEquals, assertRejectsCode } from "../support/assert.ts";
import { assertNothingArrived, ONLY_OUTSIDE, SECRET } from "../support/canary.ts";
import { Neighbourhood } from "../support/neighbourhood.ts";
import { overlong } from "../support/trap_strings.ts";
import { concat, fieldOf, frameOf } from "../wire/decoding.ts";
import { exchange, openSession } from "./served.ts";

/** Requests that are sent before their answers are read; a server takes 64. */
const AHEAD = 32;
const CONNECTIONS = 16;

type Request = MessageOf<"list" | "stat" | "mkdir" | "move" | "remove" | "digest">;

/** The requests with a reply that one message ends. `move` both ways: from a trap, and to one. */
const SIMPLE: Readonly<Record<string, (name: string) => Request>> = {
  list: (name) => ({ type: "list", name, all: true }),
  stat: (name) => ({ type: "stat", name }),
  digest: (name) => ({ type: "digest", name }),
  mkdir: (name) => ({ type: "mkdir", name }),
  "move to": (name) => ({ type: "move", from: "file", to: name, ifExists: 2 }),
  "move from": (name) => ({ type: "move", from: name, to: "file", ifExists: 2 }),
  "move of a directory to": (name) => ({ type: "move", from: "dir", to: name }),
  remove: (name) => ({ type: "remove", name }),
};

class Served implements AsyncDisposable {
  readonly around = new Neighbourhood();
  readonly server: Server;

  constructor() {
    // What a request asks for must be there, whatever the ones before it did.
    Deno.mkdirSync(`${this.around.root}/dir`);
    const limits = { codeGapMs: 0, quietMs: 5, cancelWaitMs: 5 };
    const options = { allowOverwrite: true, allowRemove: true, log: () => {}, limits };
    this.server = serve({ root: this.around.root, port: 0, ...options });
  }

  refill(): void {
    Deno.writeTextFileSync(`${this.around.root}/file`, "inside");
    Deno.mkdirSync(`${this.around.root}/dir`, { recursive: true });
  }

  /** Nothing around was touched, and the server still serves. */
  async verify(): Promise<void> {
    this.around.assertUntouched();
    assertNothingArrived(this.around.root);
    this.refill();
    assertEquals(await exchange(this.server.port, "get,file"), "passinside");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.stopNow();
    await this.server.finished;
    this.around[Symbol.dispose]();
  }
}

/** Fails for an answer that tells anything of a canary; whether it was a refusal. */
function verifyAnswer(name: string, message: Message): boolean {
  const told = JSON.stringify(message);
  assert(!told.includes(ONLY_OUTSIDE) && !told.includes(`:${SECRET.length},`), `${JSON.stringify(name)}: ${told}`);
  if (message.type !== "error") return false;
  assert(message.code !== ERRORS.internal.number, `${JSON.stringify(name)}: ${told}`);
  return true;
}

async function readReply(session: Session, name: string): Promise<boolean> {
  for (;;) {
    const message = await session.receive();
    const isRefused = verifyAnswer(name, message);
    if (message.type !== "entries") return isRefused;
  }
}

for (const [what, request] of Object.entries(SIMPLE)) {
  Deno.test(`${what}: no name that traps are made of leads out, and those that break the rule are refused`, async () => {
    await using served = new Served();
    using opened = await openSession(served.server.port);
    const names = served.around.traps(4);
    for (let start = 0; start < names.length; start += AHEAD) {
      const batch = names.slice(start, start + AHEAD);
      if (what.includes("move") || what === "remove") served.refill();
      for (const name of batch) opened.session.send(request(name));
      await opened.session.flush();
      for (const name of batch) {
        const isRefused = await readReply(opened.session, name);
        assert(isRefused || name === "" || nameFault(name) === undefined, `${JSON.stringify(name)} was answered`);
      }
    }
    await served.verify();
  });
}

Deno.test("get: no name that traps are made of leads out", async () => {
  await using served = new Served();
  using opened = await openSession(served.server.port);
  for (const name of served.around.traps(4)) {
    opened.session.send({ type: "get", name, eager: true });
    const answer = await opened.session.receive();
    if (verifyAnswer(name, answer)) continue;
    const draft = new MemoryDraft();
    await receiveFile(opened.session, answer as MessageOf<"offer">, () => Promise.resolve(draft));
    assertEquals(new TextDecoder().decode(draft.content), "inside", name);
  }
  await served.verify();
});

Deno.test("put: every name that traps are made of is refused, or means itself", async () => {
  await using served = new Served();
  using opened = await openSession(served.server.port);
  const content = new TextEncoder().encode("mine");
  let stored = 0;
  for (const name of served.around.traps(4)) {
    const offer: MessageOf<"offer"> = { type: "offer", name, sizeBytes: content.length, ifExists: 2, eager: true };
    const outgoing = { source: new MemorySource(content), offer };
    const end = await sendFile(opened.session, () => outgoing).catch((error) => error);
    assertEquals(end instanceof AppError ? end.code : "done", nameFault(name) ? "bad_name" : end.code ?? "done", name);
    if (end instanceof AppError) continue;
    stored++;
    assertEquals(Deno.readTextFileSync(`${served.around.root}/${name}`), "mine", name);
    Deno.removeSync(`${served.around.root}/${name}`);
  }
  assert(stored > 1_000, `only ${stored} were stored`);
  await served.verify();
});

/** What the old formats, and requests in words, are asked; each on a connection of its own. */
const TEXTS: Readonly<Record<string, (name: string) => string>> = {
  "share get": (name) => `get,${name}`,
  "share put": (name) => `put,${name}`,
  image: (name) => name,
  words: (name) => `APP/1 list ${name}\n`,
};

for (const [what, textOf] of Object.entries(TEXTS)) {
  Deno.test(`${what}: no name that traps are made of leads out`, async () => {
    await using served = new Served();
    const names = served.around.traps(4);
    await Promise.all(Array.from({ length: CONNECTIONS }, async () => {
      for (let name = names.pop(); name !== undefined; name = names.pop()) {
        const answer = await exchange(served.server.port, textOf(name)).catch((error) => {
          if (error instanceof Deno.errors.ConnectionReset) return ""; // it closed while we had something to say still
          throw error;
        });
        assert(!answer.includes(SECRET) && !answer.includes(ONLY_OUTSIDE), `${JSON.stringify(name)}: ${answer}`);
      }
    }));
    await served.verify();
    const stored = Array.from(Deno.readDirSync(served.around.root)).length;
    assert(stored > (what === "share put" ? 1_000 : 0), `only ${stored} names are there`);
  });
}

Deno.test("bytes that only a careless decoder takes for a way up are no name in any format", async () => {
  await using served = new Served();
  const { port } = served.server;
  for (const name of overlong("secret")) {
    for (const number of [0x10, 0x11, 0x20, 0x22, 0x23, 0x25, 0x28]) {
      using opened = await openSession(port);
      await opened.stream.write(frameOf(number, fieldOf(1, name)));
      await assertRejectsCode(() => opened.session.receive(), "malformed");
    }
    const bytes = (start: string) => concat(new TextEncoder().encode(start), name);
    assertEquals(await exchange(port, bytes("get,")), "cancel");
    assertEquals(await exchange(port, bytes("put,")), "cancel");
    const words = await exchange(port, concat(bytes("APP/1 list "), Uint8Array.of(10)));
    assertEquals(words.split("\n")[0], "APP/1 refused=malformed");
    await exchange(port, name);
  }
  await served.verify();
});
