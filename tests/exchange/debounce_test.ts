/** When many events in a short time are due as one; by a clock that the tests move. */
import { Debounce } from "../../protocol/exchange/debounce.ts";
import { assertEquals } from "../support/assert.ts";
import { FakeClock } from "../support/fake_clock.ts";

/** A debounce, and at which times it was due. */
function stage() {
  const clock = new FakeClock();
  const debounce = new Debounce({ clock, quietMs: 200, mostMs: 2_000 });
  const dueAt: number[] = [];
  const waiting = async () => {
    await debounce.wait();
    dueAt.push(clock.now());
  };
  return { clock, debounce, dueAt, waiting };
}

/** Lets everything run that waits for nothing but promises. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

Deno.test("an event is due when it was quiet for a while behind it", async () => {
  const { clock, debounce, dueAt, waiting } = stage();
  const waited = waiting();
  debounce.touch();
  clock.pass(150);
  debounce.touch();
  clock.pass(199);
  await settle();
  assertEquals(dueAt, []);
  clock.pass(1);
  await waited;
  assertEquals([dueAt, clock.timers], [[350], 0]);
});

Deno.test("events that never end are due 2 s after the first", async () => {
  const { clock, debounce, dueAt, waiting } = stage();
  const waited = waiting();
  for (let ms = 0; ms < 2_500; ms += 100) {
    debounce.touch();
    clock.pass(100);
    await settle();
  }
  await waited;
  assertEquals(dueAt, [2_000]);
});

Deno.test("what happens while nobody waits is kept for who waits next, once", async () => {
  const { clock, debounce, dueAt, waiting } = stage();
  debounce.touch();
  clock.pass(1_000);
  debounce.touch(); // the same one: nobody has taken it yet
  await waiting();
  const again = waiting();
  clock.pass(10_000);
  await settle();
  assertEquals(dueAt, [1_000]);
  debounce.touch();
  clock.pass(200);
  await again;
  assertEquals(dueAt, [1_000, 11_200]);
});

Deno.test("a thousand storms of a thousand events leave no timer, and set few", async () => {
  const { clock, debounce, dueAt, waiting } = stage();
  for (let storm = 0; storm < 1_000; storm++) {
    const waited = waiting();
    for (let event = 0; event < 1_000; event++) debounce.touch();
    clock.pass(200);
    await waited;
  }
  assertEquals([dueAt.length, clock.timers, clock.timersSet], [1_000, 0, 1_000]);
});

Deno.test("what is hurried is due at once, and disposing calls its timer off", async () => {
  const { clock, debounce, dueAt, waiting } = stage();
  debounce.touch();
  debounce.hurry();
  await waiting();
  assertEquals([dueAt, clock.timers], [[0], 0]);
  debounce.touch();
  debounce[Symbol.dispose]();
  assertEquals(clock.timers, 0);
});
