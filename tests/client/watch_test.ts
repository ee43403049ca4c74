/** When a watch runs again, here and by what a server tells: order, failures, ends, and what is left behind. */
import { Client } from "../../client/mod.ts";
import { LocalChanges, runOnChanges, type Wakeups } from "../../client/watch.ts";
import { ServerWatch, type ServerWatchOptions } from "../../client/watch_server.ts";
import { AppError, type ErrorName, ERRORS } from "../../protocol/errors.ts";
import type { Session } from "../../protocol/exchange/session.ts";
import { FakeSystem } from "../files/fake_watcher.ts";
import { assert, assertEquals, assertRejectsCode } from "../support/assert.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { temporaryDirectory } from "../support/program.ts";
import { soon, startServed } from "../server/served.ts";
import { type FakeServer, startFakeSessions } from "./fake_server.ts";

const LIVING = new AbortController().signal;

/** Wakes as often as it is told to. */
class FakeWakeups implements Wakeups {
  readonly #left: (() => void)[];

  constructor(...left: (() => void)[]) {
    this.#left = left;
  }

  async next(): Promise<void> {
    const next = this.#left.shift();
    if (!next) return await new Promise(() => {});
    await Promise.resolve();
    next();
  }

  [Symbol.dispose](): void {}
}

Deno.test("each change is followed by a run, and a run that fails by the next", async () => {
  const ended = new AppError("not_found", "It is gone");
  const nothing = () => {};
  const wakeups = new FakeWakeups(nothing, nothing, nothing, () => {
    throw ended;
  });
  const told: string[] = [];
  let runs = 0;
  const run = () => {
    if (++runs === 2) return Promise.reject(new AppError("quota", "It is full"));
    return Promise.resolve();
  };
  const onFailed = (error: AppError) => told.push(`${runs}: ${error.code}`);
  await assertRejectsCode(() => runOnChanges({ wakeups, run, onFailed, signal: LIVING }), "not_found");
  assertEquals([runs, told], [3, ["2: quota"]]);
});

Deno.test("a defect in a run ends the watch", async () => {
  const run = () => Promise.reject(new TypeError("a defect"));
  const watch = runOnChanges({ wakeups: new FakeWakeups(() => {}), run, onFailed: () => {}, signal: LIVING });
  assert(await watch.catch((error) => error) instanceof TypeError);
});

Deno.test("an abort ends a watch, while it waits and in the middle of a run", async () => {
  for (const wakeups of [new FakeWakeups(), new FakeWakeups(() => {})]) {
    const controller = new AbortController();
    const interrupted = new AppError("interrupted", "Interrupted");
    const run = async () => {
      await Promise.resolve();
      controller.abort(interrupted);
      throw new AppError("lost", "The connection was closed");
    };
    const failures: AppError[] = [];
    const watch = runOnChanges({ wakeups, run, onFailed: (error) => failures.push(error), signal: controller.signal });
    controller.abort(interrupted);
    assert(await watch.catch((error) => error) instanceof AppError);
    assertEquals(failures, []);
  }
});

Deno.test("a thousand runs leave no listener on the signal", async () => {
  const controller = new AbortController();
  let listeners = 0;
  const { addEventListener, removeEventListener } = controller.signal;
  Object.assign(controller.signal, {
    addEventListener: (...args: Parameters<typeof addEventListener>) => {
      listeners++;
      addEventListener.apply(controller.signal, args);
    },
    removeEventListener: (...args: Parameters<typeof removeEventListener>) => {
      listeners--;
      removeEventListener.apply(controller.signal, args);
    },
  });
  const most: number[] = [];
  const wakeups = new FakeWakeups(...new Array(1_000).fill(() => most.push(listeners)), () => {
    throw new AppError("not_found", "It is gone");
  });
  const run = () => Promise.resolve();
  const watch = runOnChanges({ wakeups, run, onFailed: () => {}, signal: controller.signal });
  await assertRejectsCode(() => watch, "not_found");
  assertEquals([most.length, Math.max(...most), listeners], [1_000, 1, 0]);
});

Deno.test("a tree that cannot be watched is looked at every 10 s, from the start or from then on", async () => {
  for (const isLater of [false, true]) {
    using directory = temporaryDirectory();
    const [system, clock, reasons] = [new FakeSystem(), new FakeClock(), [] as string[]];
    const refusing = new Error("OS file watch limit reached.");
    if (!isLater) system.refusing = refusing;
    const onPolling = ({ code }: AppError) => reasons.push(code);
    using changes = await LocalChanges.start(system.tree(directory.path), { clock, onPolling });
    if (isLater) {
      system.refusing = refusing;
      Deno.mkdirSync(`${directory.path}/d`);
      system.last.tell("create", `${directory.path}/d`);
      const next = changes.next();
      await system.last.read();
      clock.pass(200);
      await next;
    }
    assertEquals([reasons, system.openOnes], [["cannot_watch"], 0]);
    for (let round = 0; round < 3; round++) {
      const before = clock.now();
      const next = changes.next();
      clock.pass(9_999);
      assertEquals(clock.timers, 1);
      clock.pass(1);
      await next;
      assertEquals(clock.now() - before, 10_000);
    }
    Deno.removeSync(directory.path, { recursive: true });
    const next = changes.next();
    clock.pass(10_000);
    await assertRejectsCode(() => next, "not_found");
    Deno.mkdirSync(directory.path);
  }
});

/** Watches with a client that tries `retries` times before the first change. */
function startWatch(server: { port: number }, options: Partial<ServerWatchOptions> = {}, retries = 0) {
  const connect = (signal: AbortSignal) =>
    new Client({ host: "127.0.0.1", port: server.port }, { retries, retryWaitMs: 0, signal });
  return ServerWatch.start(connect, "d", { signal: LIVING, ...options });
}

/** A server whose sessions do what `script` says behind the request. */
function watchedServer(script: (session: Session, number: number) => Promise<void>): FakeServer {
  return startFakeSessions(async (session, number) => {
    assertEquals(await session.nextRequest(), { type: "watch", name: "d" });
    await script(session, number);
  });
}

async function say(session: Session, ...codes: ("changed" | ErrorName)[]): Promise<void> {
  for (const code of codes) {
    if (code === "changed") session.send({ type: "changed" });
    else session.send({ type: "error", code: ERRORS[code].number, text: "No" });
  }
  await session.flush();
}

Deno.test("what a server tells counts from the second on, and once if nobody waited", async () => {
  await using served = startServed({ "d/a": "1" });
  using watch = await startWatch(served);
  let isNext = false;
  const next = watch.next().then(() => isNext = true);
  for (let turn = 0; turn < 100; turn++) await Deno.lstat("/");
  assertEquals(isNext, false);
  Deno.writeTextFileSync(`${served.root}/d/a`, "2");
  await soon(next, "the change");
});

Deno.test("a connection that is lost is made anew, for ever, and is a change", async () => {
  const released = Promise.withResolvers<void>();
  await using server = watchedServer(async (session, number) => {
    if (number > 0 && number < 20) return;
    await say(session, "changed");
    if (number > 0) await released.promise;
  });
  using watch = await startWatch(server);
  await soon(watch.next(), "the change");
  assertEquals(server.connections, 21);
  released.resolve();
});

Deno.test("before the first change a client tries as often as it is told to", async () => {
  await using server = watchedServer(() => Promise.resolve());
  await assertRejectsCode(() => startWatch(server, {}, 2), "lost");
  assertEquals(server.connections, 3);
});

for (const code of ["cannot_watch", "unsupported"] as const) {
  Deno.test(`a server that says ${code} is asked every 10 s`, async () => {
    for (const before of [[], ["changed"]] as const) {
      const [clock, reasons] = [new FakeClock(), [] as string[]];
      await using server = watchedServer((session) => say(session, ...before, code));
      const polling = Promise.withResolvers<void>();
      const onPolling = (reason: AppError) => {
        reasons.push(reason.code);
        polling.resolve();
      };
      using watch = await startWatch(server, { clock, onPolling });
      await polling.promise;
      assertEquals(reasons, [code]);
      if (before.length > 0) await soon(watch.next(), "what may have changed since");
      for (let round = 0; round < 3; round++) {
        const next = watch.next();
        assertEquals(clock.timers, 1);
        clock.pass(10_000);
        await soon(next, "the next look");
      }
    }
  });
}

Deno.test("a server that is older than the request, and ends the session, is asked every 10 s", async () => {
  await using older = watchedServer((session) => session.end(new AppError("unsupported", "Cannot take that")));
  const reasons: string[] = [];
  using _ = await startWatch(older, { onPolling: ({ code }) => reasons.push(code) });
  assertEquals(reasons, ["unsupported"]);
});

Deno.test("what a server refuses for good ends the watch, at the start and later", async () => {
  await using never = watchedServer((session) => say(session, "not_allowed"));
  await assertRejectsCode(() => startWatch(never), "not_allowed");
  await using later = watchedServer((session) => say(session, "changed", "not_found"));
  using watch = await startWatch(later);
  await assertRejectsCode(() => soon(watch.next(), "the end"), "not_found");
  await using wrong = watchedServer(async (session) => {
    session.send({ type: "done" });
    await session.flush();
  });
  await assertRejectsCode(() => startWatch(wrong), "order");
});
