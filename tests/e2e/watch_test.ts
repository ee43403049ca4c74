/** `--watch` as a user leaves it running: what changes here is soon there, and back, whatever happens meanwhile. */
import { assert, assertEquals, assertStringIncludes } from "../support/assert.ts";
import { ServerProcess, startApp, temporaryDirectory } from "../support/program.ts";
import { HarmfulProxy } from "../support/proxy.ts";
import { editRandomly, makeRandomTree } from "../support/random_tree.ts";
import { describeTree } from "../support/random_tree.ts";
import { Random, withSeed } from "../support/random.ts";

const ALL = ["--allow-overwrite", "--allow-remove"];

/** So long nothing is waited for, so that a test fails instead of hanging. */
const PATIENCE_MS = 60_000;

interface WatchEvent {
  readonly event: string;
  readonly [key: string]: unknown;
}

/** A command with `--watch --json`, and what it tells. */
class WatchProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #stderr: Promise<string>;
  readonly #reader: ReadableStreamDefaultReader<string>;
  readonly #timer: ReturnType<typeof setTimeout>;
  #rest = "";
  readonly #events: WatchEvent[] = [];

  constructor(args: readonly string[]) {
    this.#child = startApp([...args, "--watch", "--json"]);
    this.#reader = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.#stderr = new Response(this.#child.stderr).text();
    this.#timer = setTimeout(() => this.kill("SIGKILL"), PATIENCE_MS);
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** The next event of that kind; what comes before it is passed over. */
  async until(kind: string): Promise<WatchEvent> {
    for (;;) {
      const event = await this.#next();
      if (!event) throw new Error(`it ended before an event "${kind}": ${await this.#stderr}`);
      if (event.event === kind) return event;
    }
  }

  /** Waits for runs until `isDone` after one of them. */
  async untilDone(isDone: () => boolean): Promise<void> {
    while (!isDone()) await this.until("run");
  }

  /** Interrupts it: it ends with 0, or with 130 where a last run was still under way. */
  async interrupt(): Promise<void> {
    const { code } = await this.end("SIGINT");
    assert(code === 0 || code === 130, `it ended with ${code}`);
  }

  /** Waits for its end, which `signal` brings about; its exit code and the last event. */
  async end(signal?: Deno.Signal): Promise<{ code: number; last: WatchEvent | undefined }> {
    if (signal) this.kill(signal);
    let last: WatchEvent | undefined;
    for (let event = await this.#next(); event; event = await this.#next()) last = event;
    const { code } = await this.#child.status;
    await this.#stderr;
    return { code, last };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
    await this.#child.stdin.close();
    try {
      this.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has ended by itself
    }
    await this.#reader.cancel();
    await Promise.all([this.#child.status, this.#stderr]);
  }

  async #next(): Promise<WatchEvent | undefined> {
    while (this.#events.length === 0) {
      const { value, done } = await this.#reader.read();
      if (done) return;
      const lines = (this.#rest + value).split("\n");
      this.#rest = lines.pop()!;
      this.#events.push(...lines.map((line) => JSON.parse(line)));
    }
    return this.#events.shift();
  }
}

interface Yard extends AsyncDisposable {
  /** Where changes are made, and where they are to come. */
  readonly from: string;
  readonly to: string;
  readonly server: ServerProcess;
  /** Starts the watch, through `port` if it is not that of the server, and waits until it waits. */
  watch(...options: string[]): Promise<WatchProcess>;
  watchThrough(port: string, ...options: string[]): Promise<WatchProcess>;
  isSame(): boolean;
}

type Way = "push" | "pull";
const WAYS: readonly Way[] = ["push", "pull"];

async function openYard(way: Way, args: readonly string[] = ALL): Promise<Yard> {
  const directory = temporaryDirectory();
  const [local, served] = [`${directory.path}/local`, `${directory.path}/served`];
  Deno.mkdirSync(local);
  Deno.mkdirSync(served);
  const server = await ServerProcess.start(served, args);
  const [from, to] = way === "push" ? [local, served] : [served, local];
  const watchThrough = async (port: string, ...options: string[]) => {
    const watch = new WatchProcess([way, "127.0.0.1", port, local, "--delete", ...options]);
    await watch.until("watching");
    return watch;
  };
  return {
    from,
    to,
    server,
    watch: (...options) => watchThrough(server.port, ...options),
    watchThrough,
    isSame: () => JSON.stringify(describeTree(from)) === JSON.stringify(describeTree(to)),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      directory[Symbol.dispose]();
    },
  };
}

for (const way of WAYS) {
  Deno.test(`${way} --watch: what is made, changed, moved and removed is soon there, also in new directories`, async () => {
    await using yard = await openYard(way);
    const at = (name: string) => `${yard.from}/${name}`;
    Deno.mkdirSync(at("d"));
    Deno.writeTextFileSync(at("d/a"), "1");
    await using watch = await yard.watch();
    assert(yard.isSame());
    for (
      const change of [
        () => Deno.writeTextFileSync(at("new"), "new"),
        () => Deno.writeTextFileSync(at("d/a"), "changed"),
        () => Deno.chmodSync(at("d/a"), 0o755),
        () => Deno.mkdirSync(at("x/y/z"), { recursive: true }),
        () => Deno.writeTextFileSync(at("x/y/z/deep"), "deep"),
        () => Deno.renameSync(at("x"), at("d/x")),
        () => Deno.writeTextFileSync(at("d/x/y/z/deep"), "moved"),
        () => { // as an editor saves
          Deno.writeTextFileSync(at("d/.a.tmp"), "saved");
          Deno.renameSync(at("d/.a.tmp"), at("d/a"));
        },
        () => Deno.symlinkSync("a", at("d/link")),
        () => { // another one of the same name
          Deno.removeSync(at("d/x"), { recursive: true });
          Deno.mkdirSync(at("d/x/y"), { recursive: true });
        },
        () => Deno.writeTextFileSync(at("d/x/y/again"), "again"),
        () => Deno.removeSync(at("d"), { recursive: true }),
      ]
    ) {
      change();
      await watch.untilDone(yard.isSame);
    }
    await watch.interrupt();
  });

  Deno.test(`${way} --watch: a storm of files in new directories is followed to its end`, async () => {
    await using yard = await openYard(way);
    await using watch = await yard.watch("--max-delete", "5000");
    for (let index = 0; index < 1_000; index++) {
      const directory = `${yard.from}/s/${index % 10}/${index % 7}`;
      Deno.mkdirSync(directory, { recursive: true });
      Deno.writeTextFileSync(`${directory}/${index}`, String(index));
      if (index % 100 === 0) await new Promise((resolve) => setTimeout(resolve)); // others write, too
    }
    await watch.untilDone(yard.isSame);
    Deno.writeTextFileSync(`${yard.from}/s/9/6/late`, "late");
    await watch.untilDone(yard.isSame);
    Deno.removeSync(`${yard.from}/s`, { recursive: true });
    await watch.untilDone(yard.isSame);
    await watch.interrupt();
  });

  Deno.test(`${way} --watch follows random edits`, async () => {
    await withSeed(async (random) => {
      await using yard = await openYard(way);
      makeRandomTree(random, yard.from, 30);
      await using watch = await yard.watch("--max-delete", "1000");
      for (let round = 0; round < 5; round++) {
        editRandomly(random, yard.from, 8);
        await watch.untilDone(yard.isSame);
      }
      await watch.interrupt();
    });
  });

  Deno.test(`${way} --watch goes on when its server is started anew, and sends what changed meanwhile`, async () => {
    await using yard = await openYard(way);
    await using watch = await yard.watch();
    await yard.server.stop();
    Deno.writeTextFileSync(`${yard.from}/meanwhile`, "1");
    if (way === "push") await watch.until("retry");
    await using _again = await ServerProcess.start(way === "push" ? yard.to : yard.from, [
      ...ALL,
      "--port",
      yard.server.port,
    ]);
    await watch.untilDone(yard.isSame);
    Deno.writeTextFileSync(`${yard.from}/later`, "1");
    await watch.untilDone(yard.isSame);
    await watch.interrupt();
  });

  Deno.test(`${way} --watch goes on when its connection is cut in the middle of a run`, async () => {
    await using yard = await openYard(way);
    await using proxy = new HarmfulProxy(yard.server.port, {
      direction: way === "push" ? "to server" : "to client",
      offset: 1_000_000,
      kind: "cut",
    });
    await using watch = await yard.watchThrough(proxy.port);
    Deno.writeFileSync(`${yard.from}/large`, new Random(5).bytes(3_000_000));
    await proxy.harmed;
    await watch.untilDone(yard.isSame);
    await watch.interrupt();
  });

  Deno.test(`${way} --watch that is interrupted in the middle of a run ends with 130`, async () => {
    await using yard = await openYard(way);
    await using proxy = new HarmfulProxy(yard.server.port, {
      direction: way === "push" ? "to server" : "to client",
      offset: 1_000_000,
      kind: "stall",
    });
    await using watch = await yard.watchThrough(proxy.port);
    Deno.writeFileSync(`${yard.from}/large`, new Random(5).bytes(3_000_000));
    await proxy.harmed;
    assertEquals((await watch.end("SIGINT")).code, 130);
  });

  Deno.test(`${way} --watch tells of too many removals, removes nothing, and goes on`, async () => {
    await using yard = await openYard(way);
    for (const name of ["a", "b", "c"]) Deno.writeTextFileSync(`${yard.from}/${name}`, "1");
    await using watch = await yard.watch("--max-delete", "1");
    for (const name of ["a", "b"]) Deno.removeSync(`${yard.from}/${name}`);
    assertEquals((await watch.until("error")).code, "too_many_removals");
    await watch.until("run");
    assertEquals(Object.keys(describeTree(yard.to)), ["a", "b", "c"]);
    Deno.writeTextFileSync(`${yard.from}/a`, "1");
    await watch.untilDone(() => Object.keys(describeTree(yard.to)).join() === "a,c");
    await watch.interrupt();
  });
}

Deno.test("push --watch: a first run that fails ends it as it does without, and a watch with failures ends with 1", async () => {
  await using yard = await openYard("push", []);
  const { port } = yard.server;
  await using nowhere = new WatchProcess(["push", "127.0.0.1", port, `${yard.from}/none`]);
  const { code, last } = await nowhere.end();
  assertEquals([code, last?.event, last?.code], [1, "error", "not_found"]);
  Deno.writeTextFileSync(`${yard.from}/a`, "1");
  await using watch = await yard.watch();
  Deno.writeTextFileSync(`${yard.from}/a`, "22"); // which may not be replaced
  assertEquals((await watch.until("error")).code, "overwrite_denied");
  await watch.until("run");
  assertEquals((await watch.end("SIGINT")).code, 1);
  await yard.server.stop();
  await using refused = new WatchProcess(["push", "127.0.0.1", port, yard.from]);
  assertEquals((await refused.end()).code, 3);
  await using alike = new WatchProcess(["pull", "127.0.0.1", port, yard.from]);
  assertEquals((await alike.end()).code, 3);
});

Deno.test("a watch that is interrupted while it waits ends with 0", async () => {
  for (const way of WAYS) {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      await using yard = await openYard(way);
      await using watch = await yard.watch();
      assertEquals((await watch.end(signal)).code, 0);
    }
  }
});

Deno.test("a directory that is gone ends a watch with 1 and a word for it", async () => {
  await using yard = await openYard("push");
  Deno.mkdirSync(`${yard.from}/top`);
  const args = ["127.0.0.1", yard.server.port];
  await using push = new WatchProcess(["push", ...args, `${yard.from}/top`, "there"]);
  await push.until("watching");
  await using pull = new WatchProcess(["pull", ...args, "there", `${yard.from}/back`]);
  await pull.until("watching");
  Deno.removeSync(`${yard.from}/top`);
  const gone = await push.end();
  assertEquals([gone.code, gone.last?.code], [1, "not_found"]);
  assertStringIncludes(String(gone.last?.message), "top");
  Deno.removeSync(`${yard.to}/there`);
  const away = await pull.end();
  assertEquals([away.code, away.last?.code], [1, "not_found"]);
});

Deno.test("push --watch does not wake for what is left out", async () => {
  await using yard = await openYard("push");
  Deno.mkdirSync(`${yard.from}/node_modules`);
  await using watch = await yard.watch("--exclude", "node_modules/", "--exclude", "*.log");
  Deno.writeTextFileSync(`${yard.from}/node_modules/a`, "1");
  Deno.writeTextFileSync(`${yard.from}/x.log`, "1");
  Deno.writeTextFileSync(`${yard.from}/a`, "1");
  const { files } = await watch.until("run");
  assertEquals([files, Object.keys(describeTree(yard.to))], [1, ["a"]]);
  const { code, last } = await watch.end("SIGINT");
  assertEquals([code, last], [0, undefined]);
});

Deno.test("a watch of which a line tells each run, for people", async () => {
  await using yard = await openYard("push");
  const child = startApp(["push", "127.0.0.1", yard.server.port, yard.from, "--watch", "--delete"]);
  await child.stdin.close();
  const [notes, lines] = [child.stderr, child.stdout].map((stream) => stream.pipeThrough(new TextDecoderStream()));
  const reader = lines!.getReader();
  let told = "";
  const until = async (pattern: RegExp) => {
    while (!pattern.test(told)) told += (await reader.read()).value ?? assert(false, told);
  };
  await until(/on the wire/);
  const noteReader = notes!.getReader();
  assertEquals((await noteReader.read()).value, `Watching "${yard.from}"; Ctrl-C ends it\n`);
  Deno.writeTextFileSync(`${yard.from}/a`, "1");
  await until(/^\d\d:\d\d:\d\d {2}1 sent \(1 B\)\n/m);
  Deno.removeSync(`${yard.from}/a`);
  await until(/^\d\d:\d\d:\d\d {2}1 removed\n/m);
  child.kill("SIGINT");
  assertEquals([(await child.status).code, (await noteReader.read()).value], [0, undefined]);
  await reader.cancel();
});

Deno.test("--watch and --dry-run exclude each other, and each is taken without the other", async () => {
  await using yard = await openYard("push");
  const child = startApp(["push", "127.0.0.1", yard.server.port, yard.from, "--watch", "--dry-run"]);
  await child.stdin.close();
  const { code, stderr } = await child.output();
  assertEquals(code, 2);
  assertStringIncludes(new TextDecoder().decode(stderr), "--watch and --dry-run exclude each other");
  const dry = startApp(["push", "127.0.0.1", yard.server.port, yard.from, "--dry-run"]);
  await dry.stdin.close();
  assertEquals((await dry.output()).code, 0);
});
