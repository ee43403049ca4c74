/** The commands that look and change without a transfer: stat, digest, mkdir, move, remove. */
import { createHash } from "node:crypto";
import { assertEquals, assertMatch } from "../support/assert.ts";
import { runApp, ServerProcess, temporaryDirectory } from "../support/program.ts";
import { Random } from "../support/random.ts";

Deno.test("stat and digest tell of a file what the disk says", async () => {
  using shared = temporaryDirectory();
  const bytes = new Random(31).bytes(3_000_000);
  Deno.writeFileSync(`${shared.path}/img.jpg`, bytes);
  Deno.utimeSync(`${shared.path}/img.jpg`, 1_000_000_000.123, 1_000_000_000.123);
  await using server = await ServerProcess.start(shared.path);
  const stat = await runApp(["stat", "127.0.0.1", server.port, "img.jpg", "--json"]);
  assertEquals(stat.code, 0, stat.stderr);
  const { name, kind, sizeBytes, mtime } = JSON.parse(stat.stdout);
  assertEquals([name, kind, sizeBytes, mtime], ["img.jpg", "file", 3_000_000, "2001-09-09T01:46:40.123Z"]);
  const digest = await runApp(["digest", "127.0.0.1", server.port, "img.jpg"]);
  const expected = createHash("blake2b512").update(bytes).digest("hex");
  assertEquals(digest, { code: 0, stdout: `${expected}  img.jpg\n`, stderr: "" });
});

Deno.test("mkdir, move and remove change what is shared, where the server allows it", async () => {
  using shared = temporaryDirectory();
  Deno.writeTextFileSync(`${shared.path}/a.txt`, "a");
  await using server = await ServerProcess.start(shared.path, ["--allow-remove"]);
  await using strict = await ServerProcess.start(shared.path);
  const app = async (port: string, command: string, ...args: string[]) => {
    const { code, stderr } = await runApp([command, "127.0.0.1", port, ...args]);
    return { code, stderr };
  };
  const done = { code: 0, stderr: "" };
  assertEquals(await app(server.port, "mkdir", "b/c"), done);
  assertEquals(await app(server.port, "move", "a.txt", "b/c/a.txt"), done);
  assertEquals(Deno.readTextFileSync(`${shared.path}/b/c/a.txt`), "a");
  const refused = await app(strict.port, "remove", "b/c/a.txt");
  assertEquals(refused.code, 1);
  assertMatch(refused.stderr, /--allow-remove/);
  assertEquals(await app(server.port, "remove", "b/c/a.txt", "b/c", "b"), done);
  assertEquals(Array.from(Deno.readDirSync(shared.path)), []);
});
