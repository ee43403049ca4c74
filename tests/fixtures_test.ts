/** The sample files: images that can be made again to the byte and are what they say, and a folder to serve. */
import { IMAGES } from "../fixtures/make_images.ts";
import { makeServed } from "../fixtures/make_served.ts";
import { assert, assertEquals } from "./support/assert.ts";
import { temporaryDirectory } from "./support/program.ts";

const FILES = new URL("../fixtures/files/", import.meta.url);
const TOTAL_BYTES_MAX = 1_000_000;

for (const [name, make] of IMAGES) {
  Deno.test(`making ${name} again gives the same bytes`, () => {
    const made = make();
    const stored = read(name);
    assertEquals(made.length, stored.length, "run fixtures/make_images.ts and look at the difference");
    assert(made.every((byte, at) => byte === stored[at]), "run fixtures/make_images.ts and look at the difference");
  });
}

Deno.test("the JPEG files are baseline JPEG of the documented size", () => {
  assertEquals(jpegFrame(read("img.jpg")), { width: 640, height: 480, components: 3 });
  assertEquals(jpegFrame(read("apple.jpg")), { width: 480, height: 480, components: 3 });
});

Deno.test("the PNG file inflates to the documented size", async () => {
  const chunks = pngChunks(read("gradient.png"));
  assertEquals(chunks.map(({ type }) => type), ["IHDR", "PLTE", "IDAT", "IEND"]);
  const header = chunks[0]!.data;
  assertEquals([header.getUint32(0), header.getUint32(4), header.getUint8(8), header.getUint8(9)], [640, 480, 8, 3]);
  assertEquals(chunks[1]!.data.byteLength, 256 * 3);
  const inflated = new Blob([chunks[2]!.data]).stream().pipeThrough(new DecompressionStream("deflate"));
  assertEquals((await new Response(inflated).bytes()).length, (640 + 1) * 480);
});

Deno.test("the sample files are the documented ones, and small", () => {
  const names = Array.from(Deno.readDirSync(FILES), (entry) => entry.name).sort();
  const documented = Array.from(
    Deno.readTextFileSync(new URL("../README.md", FILES)).matchAll(/^\| `([^`/]+\.(?!ts)\w+)`/gm),
  );
  assertEquals(names, documented.map((match) => match[1]!).sort());
  const sizes = names.map((name) => read(name).length);
  assertEquals(sizes[names.indexOf("empty.txt")], 0);
  assert(sizes.reduce((sum, size) => sum + size) < TOTAL_BYTES_MAX);
  for (const name of names) assertEquals(name, name.normalize("NFC"));
});

Deno.test("the served folder is made once, with writable files of now", () => {
  using directory = temporaryDirectory();
  const served = new URL(`file://${directory.path}/served/`);
  const before = Date.now();
  const names = Array.from(Deno.readDirSync(FILES), (entry) => entry.name).sort();
  assertEquals(makeServed(FILES, served), names.length);
  assertEquals(Array.from(Deno.readDirSync(served), (entry) => entry.name).sort(), names);
  for (const name of names) {
    const path = new URL(encodeURIComponent(name), served);
    assertEquals(Deno.readFileSync(path), read(name));
    const { mode, mtime } = Deno.statSync(path);
    assert(mtime!.getTime() >= before - 2_000, `${name} has an old time`); // file systems may keep whole seconds
    assertEquals((mode ?? 0o200) & 0o200, 0o200, `${name} is not writable`);
  }
  Deno.removeSync(new URL("img.jpg", served));
  assertEquals(makeServed(FILES, served), undefined);
  assertEquals(Array.from(Deno.readDirSync(served)).length, names.length - 1);
});

function read(name: string): Uint8Array<ArrayBuffer> {
  return Deno.readFileSync(new URL(encodeURIComponent(name), FILES));
}

/** What the frame header of a baseline JPEG says; every segment before the scan must lead to the next one. */
function jpegFrame(bytes: Uint8Array): { width: number; height: number; components: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  assertEquals(view.getUint16(0), 0xffd8, "start of image");
  assertEquals(view.getUint16(bytes.length - 2), 0xffd9, "end of image");
  let frame: { width: number; height: number; components: number } | undefined;
  for (let at = 2; view.getUint16(at) !== 0xffda; at += 2 + view.getUint16(at + 2)) {
    const marker = view.getUint16(at);
    assertEquals(marker >> 8, 0xff, `a marker at ${at}`);
    if (marker !== 0xffc0) continue;
    frame = { height: view.getUint16(at + 5), width: view.getUint16(at + 7), components: view.getUint8(at + 9) };
  }
  return frame!;
}

function pngChunks(bytes: Uint8Array<ArrayBuffer>): { type: string; data: DataView<ArrayBuffer> }[] {
  const view = new DataView(bytes.buffer);
  assertEquals(view.getBigUint64(0), 0x89504e470d0a1a0an);
  const chunks = [];
  for (let at = 8; at < bytes.length;) {
    const length = view.getUint32(at);
    const type = new TextDecoder().decode(bytes.subarray(at + 4, at + 8));
    chunks.push({ type, data: new DataView(bytes.buffer, at + 8, length) });
    at += 12 + length;
  }
  return chunks;
}
