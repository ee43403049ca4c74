/** What a receiver of trees acknowledges is durable: in which order the system is told to write things to the disk. */
import type { ReceiveTreeOptions } from "../../protocol/exchange/tree_receive_options.ts";
import { LocalTree } from "../../protocol/files/local_tree.ts";
import { openWire } from "../exchange/engines.ts";
import { runTree, twoTrees } from "../exchange/trees.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { StoppingFileSystem } from "./stopping_file_system.ts";

type Trees = ReturnType<typeof twoTrees>;
type Prepare = (trees: Trees) => void;

/**
 * What a receiver calls and says, when `prepare` has made a difference between two trees that were the same. Only where
 * it removes something, new files come in more than one group.
 */
async function callsOf(
  prepare: Prepare,
  { isUnflushed = false, removeMax }: Pick<ReceiveTreeOptions, "isUnflushed" | "removeMax"> = {},
): Promise<string[]> {
  using trees = twoTrees();
  for (const name of ["a", "b", "d/c"]) trees.from.file(name);
  Deno.symlinkSync("a", trees.from.at("link"));
  await runTree(trees);
  prepare(trees);
  using stopping = new StoppingFileSystem(0, "fault");
  const to = { tree: new LocalTree(trees.to.path, stopping.fs) };
  const wire = openWire();
  const send = wire.server.send.bind(wire.server);
  wire.server.send = (message) => {
    stopping.calls.push(message.type);
    send(message);
  };
  stopping.begin();
  const { receiveFailures } = await runTree({ from: trees.from, to, wire, receiving: { removeMax, isUnflushed } });
  assertEquals([receiveFailures, stopping.openCount], [[], 0]);
  return stopping.calls;
}

interface Scenario {
  readonly what: string;
  readonly prepare: Prepare;
  /** The call that does it, how often, and the one that writes it to the disk; a file is flushed before it shows. */
  readonly does: string;
  readonly times: number;
  readonly flushes: "sync" | "syncSync";
  readonly flushTimes: number;
  readonly says: "kept" | "tallied";
  readonly removeMax?: number;
}

const SCENARIOS: readonly Scenario[] = [
  {
    what: "new files",
    prepare: ({ from }) => ["e", "f", "d/e"].forEach((name) => from.file(name)),
    does: "renameSync",
    times: 3,
    flushes: "syncSync",
    flushTimes: 2, // of both directories
    says: "kept",
  },
  {
    what: "other bits",
    prepare: ({ from }) => ["a", "b", "d/c"].forEach((name) => Deno.chmodSync(from.at(name), 0o600)),
    does: "setMode",
    times: 3,
    flushes: "sync",
    flushTimes: 3,
    says: "tallied",
  },
  {
    what: "another time",
    prepare: ({ from }) => Deno.utimeSync(from.at("d/c"), 1, 1),
    does: "setOwnTime",
    times: 1,
    flushes: "sync",
    flushTimes: 1,
    says: "tallied",
  },
  {
    what: "a directory of another time and with other bits, and the top",
    prepare: ({ from }) =>
      ["d", "."].forEach((name) => {
        Deno.chmodSync(from.at(name), 0o711);
        Deno.utimeSync(from.at(name), 1, 1);
      }),
    does: "setOwnTime",
    times: 2,
    flushes: "sync",
    flushTimes: 2,
    says: "tallied",
  },
  {
    what: "a link that points elsewhere",
    prepare({ from }) {
      const { mtime } = Deno.statSync(from.path);
      Deno.removeSync(from.at("link"));
      Deno.symlinkSync("b", from.at("link"));
      Deno.utimeSync(from.path, mtime!, mtime!);
    },
    does: "renameSync",
    times: 1,
    flushes: "syncSync",
    flushTimes: 1,
    says: "tallied",
  },
  {
    what: "what was removed",
    prepare: ({ from }) => Deno.removeSync(from.at("d/c")),
    does: "removeSync",
    times: 1,
    flushes: "syncSync",
    flushTimes: 1,
    says: "tallied",
    removeMax: 9,
  },
];

for (const { what, prepare, does, times, flushes, flushTimes, says, removeMax } of SCENARIOS) {
  Deno.test(`a tree is told to be done when it is on the disk: ${what}`, async () => {
    const calls = await callsOf(prepare, { removeMax });
    const count = (name: string, part = calls) => part.filter((call) => call === name).length;
    assertEquals(count(does), times, calls.join());
    const behind = calls.slice(calls.lastIndexOf(does));
    const flushed = behind.slice(0, behind.indexOf(says));
    assert(behind.includes(says) && count(flushes, flushed) >= flushTimes, calls.join());
  });

  Deno.test(`without flushing, nothing of a tree waits for the disk: ${what}`, async () => {
    const calls = await callsOf(prepare, { isUnflushed: true, removeMax });
    assert(calls.includes(does));
    assertEquals(calls.filter((call) => call.startsWith("sync")), []);
  });
}

Deno.test("every small file of a tree is flushed before the first one shows", async () => {
  const calls = await callsOf(({ from }) => ["e", "f", "d/e"].forEach((name) => from.file(name)));
  const hidden = calls.slice(calls.lastIndexOf("writeFileSync"), calls.indexOf("renameSync"));
  assertEquals(hidden.filter((call) => call === "sync").length, 3, calls.join());
});
