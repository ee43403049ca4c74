/** The transcript of the first screen, run as a user runs it. */
import { crc32 } from "node:zlib";
import { assertEquals, assertMatch } from "../support/assert.ts";
import { runApp, ServerProcess, startApp, temporaryDirectory } from "../support/program.ts";
import { Random } from "../support/random.ts";

Deno.test("serve, list, get and put say what the README shows", async () => {
  using shared = temporaryDirectory();
  using here = temporaryDirectory();
  const image = new Random(1).bytes(1_945_600);
  image.set(Deno.readFileSync(new URL("../../fixtures/files/img.jpg", import.meta.url)));
  Deno.mkdirSync(`${shared.path}/photos`);
  Deno.writeFileSync(`${shared.path}/photos/img.jpg`, image);
  Deno.writeFileSync(`${here.path}/apple.jpg`, new Random(2).bytes(70_000));
  await using server = await ServerProcess.start("photos", [], { cwd: shared.path });
  assertEquals(server.startLines, [
    "Running on IP: 127.0.0.1",
    `Running on port: ${server.port}`,
    "Sharing: photos (1 file, 1.9 MB), uploads allowed",
  ]);
  const app = (...args: string[]) => runApp(args, { cwd: here.path });

  const list = await app("list", "127.0.0.1", server.port);
  assertEquals(list, { code: 0, stdout: "img.jpg\n", stderr: "" });
  const get = await app("get", "127.0.0.1", server.port, "img.jpg");
  const said = "img.jpg successfully downloaded. (JPEG, 640 x 480, 1.9 MB)\n";
  assertEquals(get, { code: 0, stdout: said, stderr: "" });
  assertEquals(Deno.readFileSync(`${here.path}/img.jpg`), image);
  const put = await app("put", "127.0.0.1", server.port, "apple.jpg");
  assertEquals(put, { code: 0, stdout: "apple.jpg successfully uploaded.\n", stderr: "" });
  assertEquals(Deno.readFileSync(`${shared.path}/photos/apple.jpg`), Deno.readFileSync(`${here.path}/apple.jpg`));

  const { code, log } = await server.stop("SIGINT");
  assertEquals(code, 0);
  const lines = log.trimEnd().split("\n");
  assertEquals(lines.length, 3, log);
  assertMatch(
    lines[1]!,
    /^\d{4}-\d\d-\d\dT[\d:.]+Z 127\.0\.0\.1:\d+ stranger get "img\.jpg" 1945600 bytes \d+ ms done$/,
  );
});

Deno.test("mtime travels both ways, to the millisecond", async () => {
  using shared = temporaryDirectory();
  using here = temporaryDirectory();
  Deno.writeTextFileSync(`${shared.path}/old.txt`, "old");
  Deno.writeTextFileSync(`${here.path}/mine.txt`, "mine");
  Deno.utimeSync(`${shared.path}/old.txt`, 1_000_000_000.123, 1_000_000_000.123);
  Deno.utimeSync(`${here.path}/mine.txt`, 1_100_000_000.456, 1_100_000_000.456);
  await using server = await ServerProcess.start(shared.path);
  const app = (...args: string[]) => runApp(args, { cwd: here.path });
  assertEquals((await app("get", `127.0.0.1:${server.port}`, "old.txt")).code, 0);
  assertEquals((await app("put", `127.0.0.1:${server.port}`, "mine.txt", "--as", "a/b/mine.txt")).code, 0);
  assertEquals(Deno.statSync(`${here.path}/old.txt`).mtime?.getTime(), 1_000_000_000_123);
  assertEquals(Deno.statSync(`${shared.path}/a/b/mine.txt`).mtime?.getTime(), 1_100_000_000_456);
});

Deno.test("data goes through pipes both ways, and nothing else to stdout", async () => {
  using shared = temporaryDirectory();
  const bytes = new Random(3).bytes(3_000_000);
  await using server = await ServerProcess.start(shared.path);
  const put = await runApp(["put", "127.0.0.1", server.port, "-", "--as", "piped.bin"], { stdin: bytes });
  assertEquals(put.code, 0, put.stderr);
  assertEquals(Deno.readFileSync(`${shared.path}/piped.bin`), bytes);
  const get = await runApp(["get", "127.0.0.1", server.port, "piped.bin", "--output", "-"]);
  assertEquals(get.code, 0, get.stderr);
  assertEquals(get.stdout, new TextDecoder().decode(bytes));
});

Deno.test("json events are one object a line, from start to done", async () => {
  using shared = temporaryDirectory();
  using here = temporaryDirectory();
  Deno.writeTextFileSync(`${shared.path}/a.txt`, "content");
  await using server = await ServerProcess.start(shared.path);
  const { code, stdout } = await runApp(["get", "127.0.0.1", server.port, "a.txt", "--json"], { cwd: here.path });
  assertEquals(code, 0);
  const events = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(events[0].event, "start");
  assertEquals(events.at(-1), {
    event: "done",
    name: "a.txt",
    storedAs: "a.txt",
    sizeBytes: 7,
    crc32: crc32("content").toString(16),
    resumedBytes: 0,
    reusedBytes: 0,
  });
  const failed = await runApp(["get", "127.0.0.1", server.port, "b.txt", "--json"], { cwd: here.path });
  assertEquals(failed.code, 1);
  assertEquals(JSON.parse(failed.stdout).code, "not_found");
});

Deno.test("a broken pipe behind list is success", async () => {
  using shared = temporaryDirectory();
  for (let index = 0; index < 3_000; index++) Deno.writeTextFileSync(`${shared.path}/file ${index}`, "");
  await using server = await ServerProcess.start(shared.path);
  const child = startApp(["list", "127.0.0.1", server.port]);
  await child.stdin.close();
  await child.stdout.cancel();
  const [{ code }, stderr] = await Promise.all([child.status, new Response(child.stderr).text()]);
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
});
