/** The requests of the format `image`, both ways. */
import { encodeImageRequest, isImageRequest, parseImageRequest } from "../../protocol/wire/image.ts";
import { assertEquals, assertThrowsCode } from "../support/assert.ts";

const encode = (text: string) => new TextEncoder().encode(text);

for (const name of ["img.jpg", "two words.png", "Grüße.gif", "\ufeffmark.png", " x "]) {
  Deno.test(`the name ${JSON.stringify(name)} is the same both ways, and nothing of it is trimmed`, () => {
    assertEquals(parseImageRequest(encodeImageRequest(name)), name);
    assertEquals(isImageRequest(encode(name)), true);
  });
}

Deno.test("what is no text, or only space, is no request", () => {
  assertEquals(parseImageRequest(Uint8Array.of(97, 255)), undefined);
  for (const bytes of [Uint8Array.of(97, 255), encode(" "), encode("")]) assertEquals(isImageRequest(bytes), false);
});

Deno.test("a name of 1023 bytes is sent, and one of 1024 is not", () => {
  assertEquals(encodeImageRequest("a".repeat(1_023)).length, 1_023);
  assertThrowsCode(() => encodeImageRequest("a".repeat(1_024)), "bad_name");
});
