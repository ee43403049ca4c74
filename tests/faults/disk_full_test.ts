/** No room, on either side, with real processes: it is said plainly, nothing is visible, and the server lives on. */
import { assertEquals, assertStringIncludes } from "../support/assert.ts";
import { names, visible } from "../support/names_in.ts";
import { APP, type Outcome, runApp, type RunOptions, ServerProcess, temporaryDirectory } from "../support/program.ts";
import { Random } from "../support/random.ts";
import { SmallDisk, smallDiskFault } from "../support/small_disk.ts";

const BLOCK = 1_048_576;
/** More than a small disk takes, and what one takes. */
const BIG = new Random(31).bytes(12 * BLOCK + 321);
const MIDDLE = new Random(32).bytes(5 * BLOCK + 123);

const fault = smallDiskFault();
if (fault) console.log(`skipped: ${fault}`);

function test(name: string, body: () => Promise<void>): void {
  Deno.test({ name, ignore: fault !== undefined, fn: body });
}

/** A directory with the files that are put, and ways to put them. */
function sources() {
  const here = temporaryDirectory();
  Deno.writeFileSync(`${here.path}/big`, BIG);
  Deno.writeFileSync(`${here.path}/middle`, MIDDLE);
  Deno.writeTextFileSync(`${here.path}/small`, "small");
  return {
    path: here.path,
    app: (command: string, port: string, args: string[], options: RunOptions = {}) =>
      runApp([command, "127.0.0.1", port, ...args], { cwd: here.path, ...options }),
    [Symbol.dispose]: () => here[Symbol.dispose](),
  };
}

/** It failed for want of space, and says on which side there is none. */
function assertFull({ code, stdout, stderr }: Outcome, name: string, side: "on the server" | "on this machine"): void {
  const [message, advice, ...more] = stderr.trimEnd().split("\n");
  assertStringIncludes(message!, `"${name}": No space left on the device`);
  assertEquals(advice, `Free some space ${side}, then run the same command again`);
  assertEquals([code, stdout, more], [1, "", []]);
}

function assertDone({ code, stderr }: Outcome): void {
  assertEquals([code, stderr], [0, ""]);
}

/** The last event of `--json`. */
function lastEvent({ stdout }: Outcome) {
  return JSON.parse(stdout.trimEnd().split("\n").at(-1)!);
}

for (const ifExists of ["error", "rename", "replace"]) {
  const options = ["--if-exists", ifExists];
  test(`a put that does not fit, --if-exists ${ifExists}, is refused before it is sent, and small ones are taken`, async () => {
    using disk = new SmallDisk();
    using here = sources();
    disk.fill("filler", 4 * BLOCK);
    await using server = await ServerProcess.start(disk.path, ["--allow-overwrite"]);
    assertFull(await here.app("put", server.port, ["middle", ...options]), "middle", "on the server");
    assertEquals(names(disk.path), ["filler"]);
    assertDone(await here.app("put", server.port, ["small", ...options]));

    Deno.removeSync(`${disk.path}/filler`);
    const again = await here.app("put", server.port, ["middle", "--json", ...options]);
    assertDone(again);
    assertEquals(lastEvent(again).resumedBytes, 0);
    assertEquals(Deno.readFileSync(`${disk.path}/middle`), MIDDLE);
    assertEquals(names(disk.path), ["middle", "small"]);
  });
}

test("a get into a disk that it does not fit goes on once there is space, and the server lives on", async () => {
  using disk = new SmallDisk();
  using here = sources();
  disk.fill("filler", 4 * BLOCK);
  await using server = await ServerProcess.start(here.path);
  const get = (...args: string[]) => here.app("get", server.port, args, { cwd: disk.path });
  assertFull(await get("middle"), "middle", "on this machine");
  assertEquals(visible(disk.path), ["filler"]);
  assertDone(await get("small"));
  Deno.removeSync(`${disk.path}/filler`);
  const again = await get("middle", "--json");
  assertDone(again);
  assertEquals(lastEvent(again).resumedBytes, 2 * BLOCK);
  assertEquals(Deno.readFileSync(`${disk.path}/middle`), MIDDLE);
  assertEquals(names(disk.path), ["middle", "small"]);
});

test("a put from a pipe that has more than fits keeps nothing of it", async () => {
  using disk = new SmallDisk();
  using here = sources();
  await using server = await ServerProcess.start(disk.path);
  const put = (stdin: Uint8Array) => here.app("put", server.port, ["-", "--as", "piped"], { stdin });
  assertFull(await put(BIG), "piped", "on the server");
  assertEquals(names(disk.path), []);
  assertDone(await put(MIDDLE));
  assertEquals(Deno.readFileSync(`${disk.path}/piped`), MIDDLE);
});

test("a file that is to be replaced by a larger one that does not fit stays as it was", async () => {
  using disk = new SmallDisk();
  using here = sources();
  Deno.writeFileSync(`${disk.path}/file`, MIDDLE);
  await using server = await ServerProcess.start(disk.path, ["--allow-overwrite"]);
  const replace = (path: string) => here.app("put", server.port, [path, "--as", "file", "--if-exists", "replace"]);
  const get = () => here.app("get", server.port, ["file", "--output", "-"]);
  assertFull(await replace("big"), "file", "on the server");
  assertEquals(visible(disk.path), ["file"]);
  assertEquals(Deno.readFileSync(`${disk.path}/file`), MIDDLE);
  assertEquals((await get()).code, 0);
  assertDone(await replace("small"));
  assertEquals((await get()).stdout, "small");
});

test("where not a byte is left, files are refused and leave nothing behind, and names can still change", async () => {
  using disk = new SmallDisk();
  using here = sources();
  disk.fill("filler");
  await using server = await ServerProcess.start(disk.path, ["--allow-remove"]);
  for (const name of ["small", "middle"]) {
    assertFull(await here.app("put", server.port, [name]), name, "on the server");
    assertEquals(names(disk.path), ["filler"]);
  }
  const copy = ["filler", "--output", "copy"];
  assertFull(await here.app("get", server.port, copy, { cwd: disk.path }), "copy", "on this machine");
  assertEquals(names(disk.path), ["filler"]);
  assertDone(await here.app("mkdir", server.port, ["a/b"]));
  assertDone(await here.app("remove", server.port, ["filler"]));
  assertDone(await here.app("put", server.port, ["small", "middle"]));
  assertEquals(names(disk.path), ["a", "middle", "small"]);
});

test("where inodes are used up, everything new is refused, and nothing empty is left behind", async () => {
  for (const left of [0, 1, 2]) {
    using disk = new SmallDisk({ inodes: 50 });
    using here = sources();
    disk.useUpInodes("used", left);
    await using server = await ServerProcess.start(disk.path, ["--allow-remove"]);
    assertFull(await here.app("put", server.port, ["middle"]), "middle", "on the server");
    assertEquals(visible(disk.path), ["used"]);
    if (left < 2) assertEquals(names(disk.path), ["used"]);
    assertFull(await here.app("mkdir", server.port, ["a/b/c"]), "a/b/c", "on the server");
    assertDone(await here.app("remove", server.port, ["used/0", "used/1", "used/2", "used/3"]));
    const again = await here.app("put", server.port, ["middle", "--json"]);
    assertDone(again);
    assertEquals(lastEvent(again).resumedBytes, left === 2 ? 5 * BLOCK : 0);
    assertEquals(Deno.readFileSync(`${disk.path}/middle`), MIDDLE);
    assertEquals(names(disk.path).filter((name) => name.startsWith(".app-")), []);
  }
});

Deno.test({
  name: "a file larger than the file system takes is told as that, and nothing is left of it",
  ignore: Deno.build.os === "windows",
  async fn() {
    using here = sources();
    using there = temporaryDirectory();
    await using server = await ServerProcess.start(here.path);
    const get = async (name: string) => {
      // The limit is 4 MB (2 in some shells), and going beyond it is an error, not the end of the process.
      const limited = ["-c", 'trap "" XFSZ; ulimit -f 4000; exec "$@"', "sh", ...APP];
      const args = [...limited, "get", "127.0.0.1", server.port, name];
      const { code, stderr } = await new Deno.Command("sh", { args, cwd: there.path }).output();
      return [code, ...new TextDecoder().decode(stderr).trimEnd().split("\n")];
    };
    assertEquals(await get("middle"), [
      1,
      'Cannot write "middle": it is larger than the file system takes',
      "Store it on another file system",
    ]);
    assertEquals(names(there.path), []);
    assertEquals((await get("small"))[0], 0);
    assertEquals(names(there.path), ["small"]);
  },
});
