/** Links as pictures: what is drawn on a terminal can be read by a camera. */
import { decodeQR } from "qr/decode";
import { drawQr } from "../../server/access/qr.ts";
import { makeSecret } from "../../server/access/secret.ts";
import { formatLink } from "../../protocol/wire/link.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { KEY } from "./linked.ts";

/** Pixels for each dot. */
const SCALE = 4;

/** What a camera sees: each letter is two dots high, and drawn in the colour of letters or of the ground. */
function photograph(lines: readonly string[], isInkDark: boolean) {
  const width = lines[0]!.length * SCALE;
  const height = lines.length * 2 * SCALE;
  const data = new Uint8Array(width * height * 4).fill(255);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const letter = lines[Math.floor(y / SCALE / 2)]![Math.floor(x / SCALE)]!;
      const hasInk = letter === "█" || letter === (Math.floor(y / SCALE) % 2 === 0 ? "▀" : "▄");
      data.fill(hasInk === isInkDark ? 0 : 255, (y * width + x) * 4, (y * width + x) * 4 + 3);
    }
  }
  return { width, height, data };
}

Deno.test("what is drawn of a link can be read back, with colours and without", async () => {
  const link = { host: "192.168.100.100", port: 65_535, key: KEY, secret: makeSecret() };
  for (const path of ["", "a longer name/with a directory and so on/photo of the year 2026.jpg"]) {
    const text = formatLink({ ...link, path });
    for (const hasColor of [true, false]) {
      const drawn = await drawQr(text, hasColor);
      const lines = drawn.trimEnd().split("\n").map((line) => line.replace("\x1b[30;107m", "").replace("\x1b[0m", ""));
      assertEquals(new Set(lines.map((line) => line.length)).size, 1);
      assert(lines[0]!.length <= 80, "it fits a terminal");
      assertEquals(decodeQR(photograph(lines, hasColor)), text);
      assertEquals(drawn.includes("\x1b[30;107m"), hasColor);
    }
  }
});
