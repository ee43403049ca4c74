/** The terminal of a real process: pipes, questions, and pipes that nobody reads. */
import { assert, assertEquals } from "../support/assert.ts";
import { runApp, startApp } from "../support/program.ts";

const MODULE = new URL("../../protocol/cli/terminal.ts", import.meta.url).href;

/** Runs `body`, which finds a `terminal` and `ClosedPipe`, as a program with `stdin`. */
async function runWithTerminal(
  body: string,
  { stdin = "", env = {} }: { stdin?: string; env?: Record<string, string> } = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const source = `import { ClosedPipe, processTerminal } from "${MODULE}";
    const terminal = processTerminal();
    ${body}`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", `data:application/typescript,${encodeURIComponent(source)}`],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    env,
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(stdin));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

Deno.test("a process with pipes is no terminal: it is not asked, not painted on, not colored", async () => {
  const { stdout } = await runWithTerminal(`
    const { isInteractive, columns, showsResults, canAsk, hasColor } = terminal;
    terminal.result(JSON.stringify({ isInteractive, columns, showsResults, canAsk, hasColor }));`);
  assertEquals(JSON.parse(stdout), {
    isInteractive: false,
    columns: 80,
    showsResults: false,
    canAsk: false,
    hasColor: false,
  });
});

Deno.test("results and bytes go to stdout, notes and questions to stderr", async () => {
  const { code, stdout, stderr } = await runWithTerminal(
    `terminal.result("result ä");
     terminal.write(new Uint8Array([65, 0, 255]).subarray(0, 2));
     terminal.note("note");
     terminal.note(JSON.stringify([terminal.ask("one? "), terminal.ask("two? "), terminal.ask("three? ")]));`,
    { stdin: "first\r\nsecond" },
  );
  assertEquals([code, stdout], [0, "result ä\nA\0"]);
  assertEquals(stderr, `noteone? two? three? ["first","second",null]`);
});

Deno.test("an answer of several bytes in one letter is read whole", async () => {
  const { stdout } = await runWithTerminal(`terminal.result(terminal.ask("?") + "|" + terminal.ask("?"));`, {
    stdin: "Grüße 🎉\n\n",
  });
  assertEquals(stdout, "Grüße 🎉|\n");
});

Deno.test("large output arrives whole", async () => {
  const { stdout } = await runWithTerminal(`terminal.write(new Uint8Array(3_000_000).fill(65));`);
  assertEquals(stdout.length, 3_000_000);
  assert(/^A+$/.test(stdout));
});

Deno.test("a pipe that nobody reads throws ClosedPipe for results, and nothing for notes", async () => {
  const source = `import { ClosedPipe, processTerminal } from "${MODULE}";
    const terminal = processTerminal();
    Deno.stdin.readSync(new Uint8Array(1));
    for (let round = 0; round < 100; round++) terminal.note("x".repeat(10_000));
    try {
      for (;;) terminal.result("x".repeat(10_000));
    } catch (error) {
      Deno.exit(error instanceof ClosedPipe ? 42 : 43);
    }`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", `data:application/typescript,${encodeURIComponent(source)}`],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  await child.stdout.cancel();
  await child.stderr.cancel();
  const writer = child.stdin.getWriter();
  await writer.write(new Uint8Array([10]));
  await writer.close();
  assertEquals((await child.status).code, 42);
});

Deno.test("the program ends well when nobody reads its help", async () => {
  const child = startApp(["--help"]);
  await child.stdin.close();
  await child.stdout.cancel();
  const stderr = await new Response(child.stderr).text();
  assertEquals([(await child.status).code, stderr], [0, ""]);
  assertEquals((await runApp(["--help"])).code, 0);
});
