/** Wrong secrets make answers slower, for a while, for one address, and never without an end. */
import { SERVER_LIMITS } from "../../../protocol/limits.ts";
import { AppError } from "../../../server/mod.ts";
import { stranger } from "../../../server/policy.ts";
import { FailedSecrets } from "../../../server/limits/failed_secrets.ts";
import { slowedRedeem, Waits } from "../../../server/limits/slow_access.ts";
import { assert, assertEquals, assertRejectsCode } from "../../support/assert.ts";
import { soon } from "../served.ts";

const ADDRESS = "192.0.2.1";

function failuresAt() {
  const clock = { nowMs: 0 };
  return { clock, failures: new FailedSecrets(SERVER_LIMITS.secretWaitMaxMs, () => clock.nowMs) };
}

Deno.test("waits begin after three wrong secrets, double, and end at two seconds", () => {
  const { failures } = failuresAt();
  const waits: number[] = [];
  for (let count = 0; count < 12; count++) {
    waits.push(failures.waitMs(ADDRESS));
    failures.failed(ADDRESS);
  }
  assertEquals(waits, [0, 0, 0, 125, 250, 500, 1_000, 2_000, 2_000, 2_000, 2_000, 2_000]);
});

Deno.test("other addresses do not wait", () => {
  const { failures } = failuresAt();
  for (let count = 0; count < 100; count++) failures.failed(ADDRESS);
  assertEquals([failures.waitMs("192.0.2.2"), failures.waitMs(ADDRESS)], [0, 2_000]);
});

Deno.test("a minute without a wrong secret makes them forgotten", () => {
  const { clock, failures } = failuresAt();
  for (let count = 0; count < 100; count++) failures.failed(ADDRESS);
  clock.nowMs += 59_999;
  assertEquals(failures.waitMs(ADDRESS), 2_000);
  clock.nowMs += 1;
  assertEquals(failures.waitMs(ADDRESS), 0);
  failures.failed(ADDRESS);
  assertEquals(failures.waitMs(ADDRESS), 0, "it begins anew");
});

Deno.test("the table does not grow without an end, and forgets who failed least recently", () => {
  const { failures } = failuresAt();
  for (let count = 0; count < 5; count++) failures.failed("first");
  for (let count = 0; count < 5; count++) failures.failed("second");
  for (let count = 0; count < 4_095; count++) failures.failed(`other ${count}`);
  assertEquals([failures.size, failures.waitMs("first"), failures.waitMs("second")], [4_096, 0, 500]);
});

Deno.test("a good secret waits as a bad one does, and is then taken", async () => {
  const waited: number[] = [];
  const redeem = slowedRedeem(
    (secret) => secret === "good" ? Promise.resolve(stranger("none")) : refuse("link_refused"),
    new FailedSecrets(SERVER_LIMITS.secretWaitMaxMs, () => 0),
    (ms) => Promise.resolve(void waited.push(ms)),
  );
  for (let count = 0; count < 4; count++) {
    await assertRejectsCode(() => redeem("bad", `${ADDRESS}:${count}`), "link_refused");
  }
  assertEquals((await redeem("good", `${ADDRESS}:9`)).label, "stranger");
  assertEquals((await redeem("good", "192.0.2.2:9")).label, "stranger");
  assertEquals(waited, [125, 250]);
});

Deno.test("what is no wrong secret does not count", async () => {
  const failures = new FailedSecrets(SERVER_LIMITS.secretWaitMaxMs, () => 0);
  const redeem = slowedRedeem(() => refuse("internal"), failures, () => Promise.resolve());
  for (let count = 0; count < 10; count++) await assertRejectsCode(() => redeem("x", `${ADDRESS}:1`), "internal");
  assertEquals(failures.size, 0);
});

Deno.test("waits end when the server stops, and none begins after that", async () => {
  const waits = new Waits();
  const waiting = waits.wait(3_600_000);
  let isOver = false;
  void waiting.then(() => isOver = true);
  await Promise.resolve();
  assert(!isOver);
  waits[Symbol.dispose]();
  await soon(waiting, "the end of a wait");
  await soon(waits.wait(3_600_000), "the end of another one");
});

function refuse(code: "link_refused" | "internal"): Promise<never> {
  return Promise.reject(new AppError(code, "No"));
}
