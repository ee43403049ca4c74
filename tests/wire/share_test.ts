/** The requests and lists of the format `share`, both ways. */
import {
  encodeShareRequest,
  formatShareList,
  parseShareList,
  parseShareRequest,
  SHARE_REQUEST_BYTES_MAX,
  shareRequestFault,
} from "../../protocol/wire/share.ts";
import { assertEquals, assertThrowsCode } from "../support/assert.ts";

const encode = (text: string) => new TextEncoder().encode(text);

const REQUESTS = [
  ["list", { command: "list", name: "" }],
  ["get,apple.jpg", { command: "get", name: "apple.jpg" }],
  ["put,a, b.txt", { command: "put", name: "a, b.txt" }],
  ["get,Grüße 日本.txt", { command: "get", name: "Grüße 日本.txt" }],
  ["get,", { command: "get", name: "" }],
] as const;

for (const [text, request] of REQUESTS) {
  Deno.test(`${JSON.stringify(text)} is the same both ways`, () => {
    assertEquals(parseShareRequest(encode(text)), request);
    assertEquals(shareRequestFault(encode(text)), undefined);
    assertEquals(encodeShareRequest(request), encode(text));
  });
}

Deno.test("a request of 32 bytes is taken, and one of 33 neither sent nor taken nor cut", () => {
  for (const letter of ["a", "ä"]) {
    const name = letter.repeat(28 / encode(letter).length);
    const request = encodeShareRequest({ command: "get", name });
    assertEquals(request.length, SHARE_REQUEST_BYTES_MAX);
    assertEquals(shareRequestFault(request), undefined);
    const longer = encode(`get,${name}x`);
    assertEquals(shareRequestFault(longer), "the request has 33 bytes, and 32 are allowed");
    assertEquals(parseShareRequest(longer).name, `${name}x`, "so that the log has it whole");
    assertThrowsCode(() => encodeShareRequest({ command: "put", name: `${name}x` }), "bad_name");
  }
});

Deno.test("a request that is not UTF-8 has a fault", () => {
  assertEquals(shareRequestFault(Uint8Array.of(...encode("get,a"), 255)), "the request is not UTF-8");
});

Deno.test("a list has a comma and a space behind every name, and is the same both ways", () => {
  assertEquals(formatShareList(["a.txt", "b c.txt"]), "a.txt, b c.txt, ");
  assertEquals(formatShareList([]), "");
  for (const names of [[], ["a"], ["a.txt", "b c.txt", "a,b", "ä"]]) {
    assertEquals(parseShareList(formatShareList(names)), names);
  }
  assertEquals(parseShareList("a, b"), ["a", "b"], "the last separator may be missing");
});
