/** What people see of `--watch`; what it does is in `watch/`. */
import { assert, assertEquals, assertStringIncludes } from "../support/assert.ts";
import { startApp } from "../support/program.ts";
import { openYard } from "./watch/yard.ts";

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
