/** What a sender of trees keeps of the entries that it told, beside a list that simply has all of them. */
import { Unconsidered } from "../../protocol/exchange/tree_unconsidered.ts";
import type { WalkBatch } from "../../protocol/exchange/tree_walk.ts";
import type { FolderEntry } from "../../protocol/files/tree.ts";
import { assertEquals } from "../support/assert.ts";
import { withSeed } from "../support/random.ts";

/** A batch of `count` files, named by their numbers from `first` on. */
function batchOf(first: number, count: number): WalkBatch {
  const found = Array.from({ length: count }, (_, index): FolderEntry => ({
    name: `${first + index}`,
    kind: "file",
    sizeBytes: 0,
    mtimeMs: 0,
    mode: 0o644,
  }));
  const directory = { name: "d", isPassed: false };
  return { directory, found, entries: found, children: [], bytes: 10 * count, isLast: false, isUnknown: false };
}

Deno.test("each entry is found by its number until it is considered, in any order, and its bytes are counted until then", () =>
  withSeed((random) => {
    for (let round = 0; round < 100; round++) {
      const unconsidered = new Unconsidered();
      let [told, considered] = [0, 0];
      for (let step = 0; step < 100; step++) {
        const kind = random.below(3);
        if (kind === 0) {
          const count = random.below(5);
          unconsidered.add(batchOf(told, count));
          told += count;
        } else if (kind === 1) {
          considered += random.below(told - considered + 1);
          unconsidered.consider(considered);
        } else {
          const number = random.below(told + 2);
          const isThere = number >= considered && number < told;
          assertEquals(unconsidered.at(number)?.name, isThere ? `d/${number}` : undefined);
        }
        assertEquals([unconsidered.told, unconsidered.considered], [told, considered]);
        const left = 10 * (told - considered);
        const isRight = unconsidered.bytes >= left && unconsidered.bytes < left + 50; // a batch counts as a whole
        assertEquals([isRight, considered < told || unconsidered.bytes === 0], [true, true], `${unconsidered.bytes}`);
      }
    }
  }));
