/** `--watch` as a user leaves it running: what changes here is soon there, and back, whatever happens meanwhile. */
import { assert, assertEquals, assertStringIncludes } from "../../support/assert.ts";
import { ServerProcess } from "../../support/program.ts";
import { HarmfulProxy } from "../../support/proxy.ts";
import { Random, withSeed } from "../../support/random.ts";
import { describeTree, editRandomly, makeRandomTree } from "../../support/random_tree.ts";
import { ALL, openYard, WatchProcess, WAYS } from "./yard.ts";

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
    for (let index = 0; index < 300; index++) {
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
