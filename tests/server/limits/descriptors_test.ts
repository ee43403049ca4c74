/** How many connections the system has room for. */
import { connectionsThatFit, readSystemLimits } from "../../../server/limits/descriptors.ts";
import { Guard } from "../../../server/limits/guard.ts";
import type { LogRecord } from "../../../server/mod.ts";
import { LocalTree } from "../../../server/mod.ts";
import { SERVER_LIMITS } from "../../../protocol/limits.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { temporaryDirectory } from "../../support/program.ts";

const LIMITS = (files: string) => `Limit  Soft Limit  Hard Limit  Units\nMax open files            ${files}\n`;

Deno.test("each connection has room for a file, and the process for its own", () => {
  assertEquals(connectionsThatFit(LIMITS("256                  256                  files"), false), 112);
  assertEquals(connectionsThatFit(LIMITS("20000  20000  files"), false), 9_984);
  assertEquals(connectionsThatFit(LIMITS("20000  20000  files"), true), 4_992, "inside TLS it takes two more");
  assertEquals(connectionsThatFit(LIMITS("16  16  files"), false), 1, "one, at least");
});

Deno.test("a system that does not say sets no limit", () => {
  assertEquals(connectionsThatFit(undefined, false), undefined);
  assertEquals(connectionsThatFit(LIMITS("unlimited  unlimited  files"), false), undefined);
  if (Deno.build.os === "linux") assert((connectionsThatFit(readSystemLimits(), true) ?? 1) > 0);
});

Deno.test("fewer than asked for is told once, and enough is not", async () => {
  using here = temporaryDirectory();
  for (const [files, connections, lines] of [["256  256", 112, 1], ["20000  20000", 1_000, 0]] as const) {
    const records: LogRecord[] = [];
    const tree = new LocalTree(here.path);
    await using guard = new Guard({ ...SERVER_LIMITS }, tree, (record) => records.push(record), {
      systemLimits: LIMITS(files),
    });
    assertEquals([guard.limits.connectionsMax, records.length], [connections, lines]);
  }
});
