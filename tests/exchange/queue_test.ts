import { Queue } from "../../protocol/exchange/queue.ts";
import { assertEquals } from "../support/assert.ts";
import { Random } from "../support/random.ts";

Deno.test("a queue gives what an array gives that is shifted and spliced", () => {
  const random = new Random(8);
  const queue = new Queue<number>();
  const array: number[] = [];
  for (let round = 0; round < 20_000; round++) {
    if (random.below(20) < 12) {
      queue.push(round);
      array.push(round);
    } else if (random.below(30) > 0) assertEquals(queue.shift(), array.shift());
    else {
      const count = random.below(array.length + 1);
      queue.drop(count);
      array.splice(0, count);
    }
    const index = random.below(10) - 5; // what was taken is not there any more
    assertEquals([queue.length, queue.at(index), queue.at(0)], [array.length, array[index], array[0]]);
  }
});

Deno.test("an empty queue has nothing to give, and goes on", () => {
  const queue = new Queue<string>();
  assertEquals([queue.shift(), queue.at(0), queue.length], [undefined, undefined, 0]);
  queue.push("a");
  assertEquals([queue.shift(), queue.shift(), queue.length], ["a", undefined, 0]);
});
