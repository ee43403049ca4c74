/** A limit on speed: exact over time, smooth, and fair. */
import { TokenBucket } from "../../protocol/exchange/token_bucket.ts";
import { assert, assertEquals } from "../support/assert.ts";

function bucketOf(bytesPerSecond: number) {
  const clock = { nowMs: 5_000 };
  return { clock, bucket: new TokenBucket(bytesPerSecond, () => clock.nowMs) };
}

Deno.test("after a start of a tenth of a second, bytes wait for their time", () => {
  const { bucket } = bucketOf(10_000);
  assertEquals(bucket.take(1_000), 0, "the first tenth is there");
  assertEquals([bucket.take(500), bucket.take(500)], [50, 100]);
});

Deno.test("who waits as told is exactly as fast as allowed", () => {
  const { bucket, clock } = bucketOf(1_000_000);
  const start = clock.nowMs;
  let bytes = 0;
  while (clock.nowMs - start < 60_000) {
    bytes += bucket.pieceBytes;
    clock.nowMs += bucket.take(bucket.pieceBytes);
  }
  const perSecond = bytes / (clock.nowMs - start) * 1000;
  assert(perSecond > 999_000 && perSecond < 1_010_000, String(perSecond));
});

Deno.test("a long silence saves up no more than a tenth of a second", () => {
  const { bucket, clock } = bucketOf(10_000);
  clock.nowMs += 3_600_000;
  assertEquals([bucket.take(1_000), bucket.take(1_000)], [0, 100]);
});

Deno.test("those who share a bucket get the same, whoever asks more often", () => {
  const { bucket, clock } = bucketOf(100_000);
  const readyAt = [0, 0, 0];
  const bytes = [0, 0, 0];
  for (; clock.nowMs < 65_000; clock.nowMs++) {
    readyAt.forEach((at, index) => {
      if (clock.nowMs < at) return;
      bytes[index]! += bucket.pieceBytes;
      readyAt[index] = clock.nowMs + bucket.take(bucket.pieceBytes);
    });
  }
  assert(Math.min(...bytes) > 0.95 * Math.max(...bytes), String(bytes));
  assert(Math.abs(bytes[0]! + bytes[1]! + bytes[2]! - 6_000_000) < 100_000, String(bytes));
});

Deno.test("pieces are short in time, and neither tiny nor huge", () => {
  assertEquals([1_000, 100_000, 1e9].map((rate) => bucketOf(rate).bucket.pieceBytes), [512, 5_000, 65_536]);
});
