/** The one yield: that it lets others run, by either of its ways, and leaves nothing open. */
import { breathe, breatheLong } from "../protocol/breathe.ts";
import { SelfPipe } from "../protocol/self_pipe.ts";
import { assert, assertEquals } from "./support/assert.ts";
import { temporaryDirectory } from "./support/program.ts";

/** Long enough for a machine that is busy with other things. */
const WORK_MAX_MS = 20_000;

/** Works as a transfer does, without a pause but in `breathe`, until `isDone` of how often that was one. */
async function work(isDone: (breaths: number) => boolean): Promise<void> {
  const end = performance.now() + WORK_MAX_MS;
  for (let breaths = 0; !isDone(breaths);) {
    if (await breathe()) breaths++;
    assert(performance.now() < end, "work went on without a pause for others");
  }
}

/** Works until an echo beside it has gone to and fro some times. */
async function workBesideEcho(): Promise<void> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using near = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  using far = await listener.accept();
  const byte = new Uint8Array(1);
  let echoes = 0;
  const echoing = (async () => {
    for (; echoes < 10; echoes++) await Promise.all([near.write(byte), far.read(byte)]);
  })();
  await work(() => echoes === 10);
  await echoing;
}

Deno.test("work that breathes lets others run, short or long", async () => {
  await workBesideEcho();
  using _long = breatheLong();
  await work((breaths) => breaths === 10); // by now it has its socket
  await workBesideEcho();
});

Deno.test("long works at once share what they breathe through, and the last one closes it", async () => {
  const tenBreaths = () => work((breaths) => breaths === 10);
  const first = breatheLong();
  const second = breatheLong();
  await Promise.all([tenBreaths(), tenBreaths()]);
  first[Symbol.dispose]();
  await tenBreaths();
  second[Symbol.dispose]();
  await tenBreaths(); // the socket is closed, as the sanitizer checks, and breathing goes on
});

Deno.test("a self pipe hears its own ringing, and who comes meanwhile hears the same", async () => {
  using pipe = (await SelfPipe.open())!;
  const first = pipe.ring();
  assertEquals(pipe.ring(), first);
  await first;
  await pipe.ring();
});

Deno.test("a self pipe that is closed while it rings ends the wait", async () => {
  const pipe = (await SelfPipe.open())!;
  const ringing = pipe.ring();
  pipe[Symbol.dispose]();
  await ringing;
  await pipe.ring();
});

Deno.test("without a place for a socket there is none, and long work breathes all the same", async () => {
  const before = Deno.env.get("TMPDIR");
  Deno.env.set("TMPDIR", "/nowhere/at/all");
  try {
    assertEquals(await SelfPipe.open(), undefined);
    using _long = breatheLong();
    await work((breaths) => breaths === 10);
  } finally {
    if (before === undefined) Deno.env.delete("TMPDIR");
    else Deno.env.set("TMPDIR", before);
  }
});

/** Opens a self pipe with 0 to 4 free descriptors, in a process with few, and prints which came and what was kept. */
const CROWDED = `
  import { SelfPipe } from "${new URL("../protocol/self_pipe.ts", import.meta.url)}";
  function useUp() {
    const files = [];
    try {
      for (;;) files.push(Deno.openSync("/dev/null"));
    } catch {
      return files;
    }
  }
  for (let free = 0; free <= 4; free++) {
    const crowd = useUp();
    const room = crowd.length;
    crowd.splice(0, free).forEach((file) => file.close());
    const pipe = await SelfPipe.open();
    pipe?.[Symbol.dispose]();
    crowd.forEach((file) => file.close());
    const left = useUp();
    console.log(pipe !== undefined, room - left.length);
    left.forEach((file) => file.close());
  }`;

Deno.test({
  name: "without descriptors for a self pipe there is none, and nothing is kept or left of it",
  ignore: Deno.build.os === "windows",
  async fn() {
    using folder = temporaryDirectory();
    const { code, stdout, stderr } = await new Deno.Command("sh", {
      args: ["-c", 'ulimit -n 64 && exec "$@"', "sh", Deno.execPath(), "eval", CROWDED],
      env: { NO_COLOR: "1", TMPDIR: folder.path },
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    assertEquals(new TextDecoder().decode(stdout), "false 0\nfalse 0\nfalse 0\ntrue 0\ntrue 0\n");
    assertEquals(Array.from(Deno.readDirSync(folder.path)), []);
  },
});
