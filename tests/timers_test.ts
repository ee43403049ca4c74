/** Timers that need not load anything: when they run, and what ends them. */
import { after, every } from "../protocol/timers.ts";
import { assertEquals } from "./support/assert.ts";
import { HandTimers } from "./support/hand_timers.ts";

Deno.test("what is to be done later is done once, and not before", async () => {
  const isDone = Promise.withResolvers<void>();
  const startMs = performance.now();
  let count = 0;
  using _timer = after(10, () => {
    count++;
    isDone.resolve();
  });
  assertEquals(count, 0);
  await isDone.promise;
  assertEquals([count, performance.now() - startMs >= 9], [1, true]);
});

Deno.test("what was called off is not done, what was not is", async () => {
  const done: string[] = [];
  const isDone = Promise.withResolvers<void>();
  after(1, () => done.push("called off"))[Symbol.dispose]();
  using _timer = after(1, () => {
    done.push("left");
    isDone.resolve();
  });
  await isDone.promise;
  assertEquals(done, ["left"]);
});

Deno.test("timers are called off and ring in their order, however many there are", async () => {
  const done: number[] = [];
  const isDone = Promise.withResolvers<void>();
  for (let number = 0; number < 40; number++) {
    const timer = after(number < 39 ? 1 : 20, () => done.push(number) === 21 && isDone.resolve());
    if (number % 2 === 1 && number < 39) timer[Symbol.dispose]();
  }
  await isDone.promise;
  assertEquals(done.sort((a, b) => a - b), [...Array.from({ length: 20 }, (_, index) => 2 * index), 39]);
});

Deno.test("what is done time and again goes on when it throws", () => {
  using timers = new HandTimers();
  let count = 0;
  using _often = every(1, () => {
    count++;
    throw new Error("once in a while");
  });
  for (let ring = 0; ring < 3; ring++) {
    try {
      timers.ring();
    } catch {
      // as it would reach nobody
    }
  }
  assertEquals(count, 3);
});

Deno.test("what is done time and again ends when it is called off, also by itself", async () => {
  const done: string[] = [];
  const isDone = Promise.withResolvers<void>();
  const often = every(1, () => {
    done.push("often");
    if (done.length < 3) return;
    often[Symbol.dispose]();
    after(5, isDone.resolve); // it would be done again until then
  });
  await isDone.promise;
  assertEquals(done, ["often", "often", "often"]);
});

Deno.test("a process does not wait for what was called off", async () => {
  const module = new URL("../protocol/timers.ts", import.meta.url).href;
  const code = `const { after } = await import(${JSON.stringify(module)}); after(600_000, () => {})[Symbol.dispose]();`;
  const startMs = performance.now();
  const { success } = await new Deno.Command(Deno.execPath(), { args: ["eval", code] }).output();
  assertEquals([success, performance.now() - startMs < 300_000], [true, true]);
});

Deno.test("what was called off is not done and does not go on, even if its timer rings all the same", () => {
  using timers = new HandTimers({ clears: false });
  const done: string[] = [];
  const once = after(1, () => done.push("once"));
  const often = every(1, () => done.push("often"));
  timers.ring();
  assertEquals(done, ["once", "often"]);
  once[Symbol.dispose]();
  often[Symbol.dispose]();
  timers.ring();
  timers.ring();
  assertEquals(done, ["once", "often"]);
});
