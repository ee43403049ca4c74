/** Which sessions a server compresses, and how many at once. */
import { ownCompressions } from "../../../protocol/compressions.ts";
import { Compressions } from "../../../server/limits/compressions.ts";
import { assertEquals } from "../../support/assert.ts";

const BEST = ownCompressions()[0];

Deno.test("auto grants a compression to so many at once, and to the next one when one has ended", () => {
  const compressions = new Compressions("auto", 2);
  const first = compressions.grant("zstd,deflate");
  const none = compressions.grant("brotli");
  const second = compressions.grant("deflate");
  const third = compressions.grant("deflate");
  assertEquals([first, none, second, third].map((one) => one.compression), [BEST, undefined, "deflate", undefined]);
  for (const one of [none, third]) one[Symbol.dispose]();
  assertEquals(compressions.grant("deflate").compression, undefined);
  first[Symbol.dispose]();
  assertEquals(compressions.grant("deflate").compression, "deflate");
  assertEquals(compressions.grant("deflate").compression, undefined);
});

Deno.test("on grants it to any number, off to nobody, and neither to a client that offers none", () => {
  const on = new Compressions("on", 1);
  assertEquals([1, 2, 3].map(() => on.grant("deflate").compression), ["deflate", "deflate", "deflate"]);
  assertEquals(on.grant(undefined).compression, undefined);
  assertEquals(new Compressions("off").grant("zstd,deflate").compression, undefined);
});
