/** The loop of the shell, with lines from a list and servers that misbehave. */
import { CLIENT_COMMANDS } from "../../../client/commands/mod.ts";
import { SessionHolder } from "../../../client/session_holder.ts";
import { Report } from "../../../client/report.ts";
import type { Input, Lines } from "../../../client/shell/lines.ts";
import { Shell } from "../../../client/shell/shell.ts";
import type { Command } from "../../../protocol/cli/command.ts";
import { AppError } from "../../../protocol/errors.ts";
import { FakeTerminal, NEVER_INTERRUPTED } from "../../cli/fake_terminal.ts";
import { soon, startServed } from "../../server/served.ts";
import { assertEquals, assertMatch, assertRejectsCode } from "../../support/assert.ts";
import { startFakeSessions } from "../fake_server.ts";

const commands = await Promise.all(Object.values(CLIENT_COMMANDS).map((load) => load()));
const NEVER = new AbortController().signal;

/** Lines from a test, one by one; `told` is resolved when something was told in between. */
class GivenLines implements Lines {
  readonly told = Promise.withResolvers<void>();
  readonly #steps: (string | (() => Promise<unknown>))[];

  /** A function among the steps is waited for before the next line. */
  constructor(...steps: (string | (() => Promise<unknown>))[]) {
    this.#steps = steps;
  }

  async next(): Promise<Input> {
    for (let step = this.#steps.shift(); step !== undefined; step = this.#steps.shift()) {
      if (typeof step === "string") return { kind: "line", text: step };
      await step();
    }
    return { kind: "end" };
  }

  tell(write: () => void): void {
    write();
    this.told.resolve();
  }

  [Symbol.dispose](): void {}
}

interface Stage {
  readonly terminal: FakeTerminal;
  readonly shell: Shell;
  readonly holder: SessionHolder;
}

function stage(port: number, more: readonly Command[] = [], heartbeatMs = 5_000): Stage {
  const terminal = new FakeTerminal({ canAsk: true });
  const options = {
    timeout: 10,
    retries: 0,
    strict: false,
    json: false,
    quiet: false,
    "if-exists": "error",
    "link-file": undefined,
  } as const;
  const input = { words: [], options, terminal, interruption: NEVER_INTERRUPTED, version: "test" };
  const holder = new SessionHolder();
  const report = new Report(terminal, options);
  const target = { host: "127.0.0.1", port };
  const shell = new Shell({ commands: [...commands, ...more], input, target, holder, report, heartbeatMs });
  return { terminal, shell, holder };
}

Deno.test("all commands of a shell share one connection, and errors of one do not end it", async () => {
  await using served = startServed({ "a.txt": "a", "b c": "b" });
  const { terminal, shell, holder } = stage(served.port);
  await using _link = holder;
  const exit = await shell.run(
    new GivenLines("stat a.txt", "stat nothing", "wrong", "", "stat 'b c'", "exit", "list"),
    NEVER,
  );
  assertEquals(exit, 2, terminal.noted);
  assertEquals(terminal.results.map((line) => line.split("  ").at(-1)), ["a.txt", "b c"]);
  assertEquals(served.records.map(({ request, name }) => `${request} ${name}`), [
    "stat a.txt",
    "stat nothing",
    "stat b c",
  ]);
  assertEquals(new Set(served.records.map(({ peer }) => peer)).size, 1);
});

Deno.test("what is missing is a mistake and no question, and the advice is for the shell", async () => {
  await using served = startServed();
  const { terminal, shell, holder } = stage(served.port);
  await using _link = holder;
  assertEquals(await shell.run(new GivenLines("stat", "put -"), NEVER), 2);
  assertEquals(terminal.questions, []);
  assertMatch(terminal.noted, /^NAME is missing\nEnter: help stat\nIn a shell, stdin has the commands\n/);
});

Deno.test("a server that answers no heartbeat is noticed while nothing is entered, and the next command connects anew", async () => {
  const gone = Promise.withResolvers<void>();
  await using server = startFakeSessions(async (session, number) => {
    for (let request = await session.nextRequest(); request; request = await session.nextRequest()) {
      session.send({ type: "entries", entries: [{ name: "x", kind: 0, sizeBytes: 1 }] });
      session.send({ type: "done" });
      await session.flush();
      if (number === 0) await gone.promise; // it reads no more, so it answers no ping
    }
  });
  const { terminal, shell, holder } = stage(server.port, [], 50);
  await using _link = holder;
  const lines: GivenLines = new GivenLines("stat x", () => soon(lines.told.promise, "the note"), "stat x");
  assertEquals(await shell.run(lines, NEVER), 0, terminal.noted);
  gone.resolve();
  assertMatch(terminal.noted, /^Nothing came from .*; the next command connects to the server again\n$/);
  assertEquals([terminal.results.length, server.connections], [2, 2]);
});

Deno.test("a server that answers heartbeats is left in peace, however long nothing is entered", async () => {
  const heard = Promise.withResolvers<void>();
  await using served = startServed({ "a.txt": "a" });
  const { terminal, shell, holder } = stage(served.port, [], 5);
  await using _link = holder;
  const waitForPings = async () => {
    const session = holder.current!;
    const [sent, original] = [{ count: 0 }, session.send.bind(session)];
    session.send = (message) => {
      if (message.type === "ping" && ++sent.count === 150) heard.resolve();
      original(message);
    };
    await soon(heard.promise, "pings for longer than silence is allowed");
  };
  assertEquals(await shell.run(new GivenLines("stat a.txt", waitForPings, "stat a.txt"), NEVER), 0, terminal.noted);
  assertEquals(terminal.noted, "");
  assertEquals(new Set(served.records.map(({ peer }) => peer)).size, 1);
});

Deno.test("a server that ends is noticed at once, and one that came back is found by the next command", async () => {
  await using first = startServed({ "a.txt": "a" });
  const { terminal, shell, holder } = stage(first.port);
  await using _link = holder;
  const lines: GivenLines = new GivenLines("stat a.txt", async () => {
    first.server.stopNow();
    await soon(lines.told.promise, "the note");
  }, "stat a.txt");
  assertEquals(await shell.run(lines, NEVER), 3, terminal.noted);
  assertMatch(terminal.noted, /; the next command connects to the server again\nCannot connect to /);
});

Deno.test("interrupting ends the command and not the shell", async () => {
  await using served = startServed({ "a.txt": "a" });
  const waits: Command = {
    ...commands.find(({ name }) => name === "stat")!,
    name: "wait",
    run: ({ interruption }) =>
      new Promise((_, reject) => {
        const signal = interruption.signal();
        signal.addEventListener("abort", () => reject(signal.reason));
        shell.interrupt();
      }),
  };
  const { terminal, shell, holder } = stage(served.port, [waits]);
  await using _link = holder;
  assertEquals(await shell.run(new GivenLines("wait", "stat a.txt"), NEVER), 130);
  assertMatch(terminal.noted, /^Interrupted\n/);
  assertEquals(terminal.results.length, 1);
});

Deno.test("a signal to the process ends the shell, and what runs in it", async () => {
  await using served = startServed();
  const controller = new AbortController();
  const { shell, holder } = stage(served.port);
  await using _link = holder;
  const lines = new GivenLines("list", () => {
    controller.abort(new AppError("interrupted", "Interrupted"));
    return Promise.resolve();
  }, "list");
  await assertRejectsCode(() => shell.run(lines, controller.signal), "interrupted");
});

Deno.test("completion asks over the same connection, and one that fails says nothing", async () => {
  await using served = startServed({ "apple.jpg": "", "sub/x": "" });
  const { shell, holder, terminal } = stage(served.port);
  await using _link = holder;
  const answers: unknown[] = [];
  const inputs: Input[] = ["stat ap", "stat ", "stat nothing/x"].map((line) => ({
    kind: "complete",
    line,
    answer: (completion) => void answers.push(completion),
  }));
  const lines = new GivenLines("list");
  const plain = lines.next.bind(lines);
  lines.next = () => inputs.length > 0 ? Promise.resolve(inputs.shift()!) : plain();
  assertEquals(await shell.run(lines, NEVER), 0, terminal.noted);
  assertEquals(answers, [[["apple.jpg "], "ap"], [["apple.jpg ", "sub/"], ""], [[], "stat nothing/x"]]);
  assertEquals(new Set(served.records.map(({ peer }) => peer)).size, 1);
  assertEquals(terminal.noted, "");
});
