/**
 * Random trees and edits, sent in memory with every kind of pre-flight and with windows of any size: a dry run changes
 * nothing and tells what the run tells, the run makes both trees equal, and a second one finds nothing to do.
 */
import { AppError } from "../../protocol/errors.ts";
import type { Preflight } from "../../protocol/exchange/tree_preflight.ts";
import { openWire } from "../exchange/engines.ts";
import { runTree, type TreeEnds, twoTrees } from "../exchange/trees.ts";
import type { TemporaryTree } from "../files/temporary_tree.ts";
import { assert, assertEquals } from "../support/assert.ts";
import type { Random } from "../support/random.ts";
import { describeTop, describeTree, editRandomly, makeExtremes, makeRandomTree } from "../support/random_tree.ts";
import { playRounds, type Round, type RoundResult } from "./rounds.ts";

const name = "a dry run tells what the run tells, which makes random trees equal and leaves nothing to do";

Deno.test(name, () => playRounds({ name, rounds: 200, open: openStage, play }));

function openStage() {
  return Promise.resolve({ [Symbol.asyncDispose]: () => Promise.resolve() });
}

async function play(_stage: unknown, { random }: Round): Promise<RoundResult> {
  using trees = twoTrees();
  const { from, to } = trees;
  const into = random.pick(["", "", "top/deep"]);
  makeRandomTree(random, from.path, 30 + random.below(150));
  if (random.below(4) === 0) makeExtremes(random, from.path);
  if (into === "" && random.below(4) > 0) {
    await copy(from, to);
    editRandomly(random, from.path, random.below(120));
  }
  const kind = random.pick(["stop", "skip", "none"] as const);
  const options = optionsOf(random, kind);
  const run = (isDryRun: boolean) =>
    runTree({
      from,
      to,
      into,
      wire: openWire(),
      sending: { ...options.sending, isDryRun },
      receiving: { ...options.receiving, isDryRun },
    });
  const before = describeTree(to.path);
  const dry = await run(true);
  assertEquals(describeTree(to.path), before, "a dry run changed something");
  const real = await run(false);
  verifyWhole(real);
  assertEquals([dry.plan, dry.received], [real.plan, real.received], "a dry run told something else");
  assertEquals(describeTree(to.at(into)), describeTree(from.path));
  assertEquals(describeTop(to.at(into)), describeTop(from.path));
  const again = await run(false);
  verifyWhole(again);
  assertEquals(again.plan, []);
  return {
    kind: `pre-flight ${kind}`,
    counted: [real.plan.some((line) => line.startsWith("move")) ? "moves" : "no moves"],
  };
}

function optionsOf(random: Random, kind: Preflight["ifImpossible"] | "none") {
  const preflight = kind === "none" ? {} : { preflight: { ifImpossible: kind }, isDecidedHere: true };
  const isNarrow = random.below(2) === 0;
  const window = isNarrow ? { heldBytesMax: 100 + random.below(5_000), queueMax: 1 + random.below(200) } : {};
  return {
    sending: { ...preflight, ...window, hasDigests: random.below(4) === 0 },
    receiving: { ...preflight, removeMax: 10_000, isUnflushed: random.below(2) === 0 },
  };
}

function verifyWhole({ received, sendFailures }: TreeEnds): void {
  assert(!(received instanceof AppError), `${received}`);
  assertEquals([sendFailures, received.failed], [[], 0]);
}

async function copy(from: TemporaryTree, to: TemporaryTree): Promise<void> {
  const { success } = await new Deno.Command("cp", { args: ["-a", `${from.path}/.`, to.path] }).output();
  assert(success, "cp failed");
}
