/** Two trees on the disk, and one sent to the other over two sessions that are wired in memory. */
import { AppError } from "../../protocol/errors.ts";
import type { ReceiveTreeOptions } from "../../protocol/exchange/tree_receive_options.ts";
import { receiveTree } from "../../protocol/exchange/tree_receiver.ts";
import type { Tally } from "../../protocol/exchange/tree_report.ts";
import { sendTree, type SendTreeOptions } from "../../protocol/exchange/tree_sender.ts";
import type { FileTree } from "../../protocol/files/tree.ts";
import { assertInstanceOf } from "../support/assert.ts";
import { TemporaryTree } from "../files/temporary_tree.ts";
import { openWire, type Wire } from "./engines.ts";

/** What is told, as a person would read it. */
export interface Told {
  /** Each action and its name, as the sender hears of it. */
  readonly plan: string[];
  /** Each failure, as each side tells it. */
  readonly sendFailures: string[];
  readonly receiveFailures: string[];
  readonly leftOut: string[];
}

export interface TreeEnds extends Told {
  readonly sent: Tally | AppError;
  readonly received: Tally | AppError;
}

export interface TreeJob {
  readonly from: { readonly tree: FileTree };
  readonly to: { readonly tree: FileTree };
  readonly wire?: Wire;
  readonly sending?: SendTreeOptions;
  readonly receiving?: Partial<ReceiveTreeOptions>;
  /** Below which directory of `to`. @default its top */
  readonly into?: string;
}

export const EXACT = { ifDifferent: "replace", isExact: true } as const;

/** Sends all of `from`; the receiver replaces, and is exact, unless `receiving` says otherwise. */
export async function runTree(
  { from, to, wire = openWire(), sending, receiving, into = "" }: TreeJob,
): Promise<TreeEnds> {
  const told: Told = { plan: [], sendFailures: [], receiveFailures: [], leftOut: [] };
  const [sent, received] = await Promise.all([
    endOf(sendTree(wire.client, from.tree, "", {
      onPlanned: (action, name, _, from) =>
        told.plan.push(`${action} ${from === undefined ? "" : `${from} -> `}${name}`),
      onRemoved: (names) => told.plan.push(...names.map((name) => `remove ${name}`)),
      onFailed: (name, { code }) => told.sendFailures.push(`${name}: ${code}`),
      onLeftOut: (name, { code }) => told.leftOut.push(`${name}: ${code}`),
      ...sending,
    })),
    endOf(receiveTree(wire.server, to.tree, into, {
      ...EXACT,
      onFailed: (name, { code }) => told.receiveFailures.push(`${name}: ${code}`),
      ...receiving,
    })),
  ]);
  return { ...told, sent, received };
}

async function endOf(work: Promise<Tally>): Promise<Tally | AppError> {
  try {
    return await work;
  } catch (error) {
    assertInstanceOf(error, AppError);
    return error;
  }
}

/** Two trees for one test. */
export function twoTrees(): { from: TemporaryTree; to: TemporaryTree } & Disposable {
  const held = new DisposableStack();
  const from = held.use(new TemporaryTree());
  const to = held.use(new TemporaryTree());
  return { from, to, [Symbol.dispose]: () => held.dispose() };
}
