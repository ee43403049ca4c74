/** Headers of segments: what is written is read again, and what cannot be is refused. */
import { SEGMENT_BYTES_MAX } from "../../protocol/limits.ts";
import { decodeSegmentHeader, encodeSegment, SEGMENT_HEADER_BYTES } from "../../protocol/wire/segment.ts";
import { assertEquals, assertThrowsCode } from "../support/assert.ts";

/** A header with a sound check. */
function header(kind: number, wireBytes: number, contentBytes: number): Uint8Array {
  const length = (value: number) => [value >> 16, value >> 8 & 255, value & 255];
  const bytes = [kind, ...length(wireBytes), ...length(contentBytes)];
  return Uint8Array.of(...bytes, bytes.reduce((check, byte) => check ^ byte, 0x5a));
}

Deno.test("a segment is its header and its bytes, and the header says what stands behind it", () => {
  const bytes = Uint8Array.of(1, 2, 3);
  assertEquals(encodeSegment("plain", bytes, 3), Uint8Array.of(...header(0, 3, 3), 1, 2, 3));
  assertEquals(encodeSegment("begin", bytes, 70_000), Uint8Array.of(...header(1, 3, 70_000), 1, 2, 3));
  assertEquals(encodeSegment("go_on", bytes, 4), Uint8Array.of(...header(2, 3, 4), 1, 2, 3));
  for (const kind of ["begin", "go_on"] as const) {
    const segment = encodeSegment(kind, new Uint8Array(70_000), SEGMENT_BYTES_MAX);
    assertEquals(decodeSegmentHeader(segment), { kind, wireBytes: 70_000, contentBytes: SEGMENT_BYTES_MAX });
  }
});

Deno.test("every flipped bit of a header is found", () => {
  for (let bit = 0; bit < 8 * SEGMENT_HEADER_BYTES; bit++) {
    const bytes = header(1, 300, 70_000);
    decodeSegmentHeader(bytes);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    assertThrowsCode(() => decodeSegmentHeader(bytes), "damaged");
  }
});

Deno.test("a segment that is too large, empty, of another kind, or larger than what it stands for is refused", () => {
  assertThrowsCode(() => decodeSegmentHeader(header(1, 3, SEGMENT_BYTES_MAX + 1)), "limit");
  const max = SEGMENT_BYTES_MAX;
  const refused = [[3, 1, 2], [0, 0, 0], [1, 0, 5], [0, 3, 4], [0, 4, 3], [1, 4, 4], [2, 5, 4], [1, max, max]] as const;
  for (const [kind, wireBytes, contentBytes] of refused) {
    assertThrowsCode(() => decodeSegmentHeader(header(kind, wireBytes, contentBytes)), "malformed");
  }
  for (const [kind, wireBytes, contentBytes] of [[0, max, max], [1, 1, 2], [2, max - 1, max]] as const) {
    assertEquals(decodeSegmentHeader(header(kind, wireBytes, contentBytes)).contentBytes, contentBytes);
  }
});
