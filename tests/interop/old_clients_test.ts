/** The old clients, unchanged, against our server: one recv for each answer, no lengths; and all formats at once. */
import { type Served, startServed } from "../server/served.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { names } from "../support/names_in.ts";
import { temporaryDirectory } from "../support/program.ts";
import type { Random } from "../support/random.ts";
import { oldClient, oldTest, typeAtOldClient } from "./old_programs.ts";

const MIB = 1_048_576;
const SIZES = { "0 bytes": 0, "1 byte": 1, "exactly 1024 bytes": 1_024, "exactly 32 MiB": 32 * MIB };
const NAMES = ["two words.txt", "Grüße.txt", "日本.txt", "a,b.txt"];

function assertSame(path: string, bytes: Uint8Array): void {
  const found = Deno.readFileSync(path);
  assert(found.length === bytes.length && found.every((byte, index) => byte === bytes[index]), `${path} differs`);
}

/** Content that no one would take for a code word. */
function contentOf(random: Random, sizeBytes: number): Uint8Array<ArrayBuffer> {
  return random.bytes(sizeBytes);
}

for (const [what, sizeBytes] of Object.entries(SIZES)) {
  oldTest(`the old clients get and put a file of ${what}`, async (random) => {
    const bytes = contentOf(random, sizeBytes);
    await using served = startServed({ "a.bin": bytes });
    using here = temporaryDirectory();
    assertEquals(await oldClient("share_client", here.path, "127.0.0.1", served.port, "get", "a.bin"), "Received");
    assertSame(`${here.path}/a.bin`, bytes);
    Deno.renameSync(`${here.path}/a.bin`, `${here.path}/b.bin`);
    assertEquals(await oldClient("share_client", here.path, "127.0.0.1", served.port, "put", "b.bin"), "Sent");
    assertSame(`${served.root}/b.bin`, bytes);
    const said = await oldClient("image_client", here.path, "127.0.0.1", served.port, "a.bin");
    assertEquals(said, "a.bin successfully downloaded.");
    assertSame(`${here.path}/a.bin`, bytes);
    assertEquals(
      served.records.map(({ request, name, bytes, result, detail }) => [request, name, bytes, result, detail]),
      [
        ["share get", "a.bin", sizeBytes, "done", undefined],
        ["share put", "b.bin", sizeBytes, "done", "length unverified"],
        ["image get", "a.bin", sizeBytes, "done", undefined],
      ],
    );
  });
}

oldTest("an upload that is reset is thrown away, and one that is ended is kept", async () => {
  await using served = startServed();
  using here = temporaryDirectory();
  for (const end of ["reset", "end"]) {
    assertEquals(await oldClient("half_put", here.path, "127.0.0.1", served.port, `${end}.bin`, end), "pass");
  }
  assertEquals(names(served.root), ["end.bin"]);
  assertEquals(served.records.map(({ name, result }) => [name, result]), [["reset.bin", "lost"], ["end.bin", "done"]]);
});

oldTest("the old client of share puts and gets 100 MB", async (random) => {
  const bytes = contentOf(random, 100_000_000);
  await using served = startServed();
  using here = temporaryDirectory();
  Deno.writeFileSync(`${here.path}/big.bin`, bytes);
  assertEquals(await oldClient("share_client", here.path, "127.0.0.1", served.port, "put", "big.bin"), "Sent");
  Deno.removeSync(`${here.path}/big.bin`);
  assertEquals(await oldClient("share_client", here.path, "127.0.0.1", served.port, "get", "big.bin"), "Received");
  assertSame(`${here.path}/big.bin`, bytes);
});

oldTest("the old clients name files with spaces, commas and letters beyond ASCII", async () => {
  await using served = startServed(Object.fromEntries(NAMES.map((name) => [name, `of ${name}`])));
  for (const name of NAMES) {
    for (const client of ["share_client", "image_client"]) {
      using here = temporaryDirectory();
      const words = client === "share_client" ? ["get", name] : [name];
      await oldClient(client, here.path, "127.0.0.1", served.port, ...words);
      assertEquals(Deno.readTextFileSync(`${here.path}/${name}`), `of ${name}`);
      if (client === "image_client") continue;
      Deno.removeSync(`${served.root}/${name}`);
      await oldClient(client, here.path, "127.0.0.1", served.port, "put", name);
      assertEquals(Deno.readTextFileSync(`${served.root}/${name}`), `of ${name}`);
    }
  }
});

oldTest("the old client of share lists the files, and no directory, dotfile or partial", async () => {
  const files = { "b.txt": "", "a b.txt": "", "Grüße.txt": "", ".hidden": "", ".app-partial-x": "", "dir/inside": "" };
  await using served = startServed(files);
  using here = temporaryDirectory();
  const listed = await oldClient("share_client", here.path, "127.0.0.1", served.port, "list");
  assertEquals(listed, "Grüße.txt, a b.txt, b.txt,");
});

oldTest("the old clients are refused what is missing, taken, outside or a directory", async () => {
  await using served = startServed({ "a.txt": "1", "dir/b.txt": "2" }, { limits: { cancelWaitMs: 20 } });
  using here = temporaryDirectory();
  for (const name of ["a.txt", "c.txt"]) Deno.writeTextFileSync(`${here.path}/${name}`, "mine");
  const share = (...words: string[]) => oldClient("share_client", here.path, "127.0.0.1", served.port, ...words);
  for (const name of ["nothing.txt", "dir", "../a.txt", "a-name-of-twenty-nine-letters"]) {
    assertEquals(await share("get", name), "The server cancelled", name);
  }
  assertEquals(await share("put", "a.txt"), "The server cancelled");
  assertEquals(await share("put", "c.txt"), "Sent", "the benign twin");
  assertEquals(names(served.root), ["a.txt", "c.txt", "dir"]);
  assertEquals(Deno.readTextFileSync(`${served.root}/a.txt`), "1");
  const missing = ["nothing.png", "dir", "../a.txt"];
  const image = await oldClient("image_client", here.path, "127.0.0.1", served.port, "--same", ...missing, "c.txt");
  assertEquals(image.split("\n"), [
    ...missing.map(() => "File does not exist on server."),
    "c.txt successfully downloaded.",
  ]);
});

/** What a client of each kind does in a directory of its own, and what must have come of it. */
type Visit = (port: number, path: string, index: number) => Promise<void>;

/** One visit for each format, and one for ours. `bytes` are the content of `a.bin` on the server. */
function visitsOf(bytes: Uint8Array, served: Served): readonly Visit[] {
  const stored = (path: string) => assertSame(`${path}/a.bin`, bytes);
  return [
    async (port, path) => {
      await oldClient("share_client", path, "127.0.0.1", port, "get", "a.bin");
      stored(path);
    },
    async (port, path) => {
      await oldClient("image_client", path, "127.0.0.1", port, "a.bin");
      stored(path);
    },
    async (port, path, index) => {
      Deno.writeFileSync(`${path}/put-${index}`, bytes);
      await oldClient("share_client", path, "127.0.0.1", port, "put", `put-${index}`);
      assertSame(`${served.root}/put-${index}`, bytes);
    },
    async (port, path) => {
      const said = await typeAtOldClient("GET_CITY France\nHEART\nSTOP\n", "packet_client", path, "127.0.0.1", port);
      assertEquals(said, "Paris\nbeat");
    },
    async (port, path, index) => {
      const said = await oldClient("greeting_client", path, "127.0.0.1", port, "Ada", index);
      assertEquals(said, "Server of app: 42");
    },
    async () => {
      await using client = served.client();
      assertEquals((await client.digest("a.bin")).sizeBytes, bytes.length);
      assertEquals(await client.capital("France"), "Paris");
    },
  ];
}

oldTest("old clients of all four formats and ours are served at once", async (random) => {
  const bytes = random.bytes(3 * MIB + 17);
  await using served = startServed({ "a.bin": bytes });
  const visits = visitsOf(bytes, served);
  const places = visits.flatMap((visit) => [visit, visit]).map((visit) => ({ visit, place: temporaryDirectory() }));
  await Promise.all(places.map(({ visit, place }, index) => visit(served.port, place.path, index)));
  assertEquals(new Set(served.records.map(({ result }) => result)), new Set(["done"]));
  for (const { place } of places) place[Symbol.dispose]();
});

oldTest("a server of our own format alone tells the old clients so in words", async () => {
  await using served = startServed({ "a.txt": "1" }, { formats: ["app"] });
  using here = temporaryDirectory();
  const expected = "This is app, which speaks APP/1: try app list HOST PORT";
  assertEquals(await oldClient("share_client", here.path, "127.0.0.1", served.port, "list"), expected);
  const said = await oldClient("image_client", here.path, "127.0.0.1", served.port, "a.txt");
  assertEquals(said, `Not understood: '${expected}\\n'`);
});
