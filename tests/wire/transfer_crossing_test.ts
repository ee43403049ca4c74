/**
 * Both sides of a transfer, with messages under way in both directions: every way in which legal messages can cross.
 * Each side has a `TransferOrder` of its own and knows only what it has said and heard.
 */
import { type Side, TRANSFER_ORDER, TransferOrder, type TransferState } from "../../protocol/wire/transfer_order.ts";
import { assert } from "../support/assert.ts";

/** What both sides know, and what is on its way. */
interface World {
  readonly sender: TransferState;
  readonly receiver: TransferState;
  readonly toReceiver: readonly string[];
  readonly toSender: readonly string[];
  /** The sender says `from` when it has heard all digests. */
  readonly digestsHeard: number;
  /** It says `end` when it has heard of all blocks that are compared. */
  readonly comparesHeard: number;
  /** How often each message was said that may come more than once. */
  readonly said: Readonly<Record<string, number>>;
}

const START: World = {
  sender: "start",
  receiver: "start",
  toReceiver: [],
  toSender: [],
  digestsHeard: 0,
  comparesHeard: 0,
  said: { accept: 0, digests: 0, from: 0, compare: 0, same: 0, data: 0 },
};

/** How often they may be said: enough for every pair to cross, and few enough to try all ways. */
const SAID_MAX: Readonly<Record<string, number>> = { accept: 1, from: 1, same: 1, data: 2 };

/** How often the receiver says `digests` and `compare`. */
interface Told {
  readonly digests: number;
  readonly compares: number;
}

function advanced(state: TransferState, side: Side, message: string): TransferState {
  const order = new TransferOrder();
  order.state = state;
  order.advance(side, message);
  return order.state;
}

function legal(state: TransferState, side: Side): string[] {
  return TRANSFER_ORDER.filter((row) => row[0] === state && row[1] === side).map((row) => row[2]);
}

/** The messages that a side may say, each with what was said then. */
function sayable(world: World, side: Side, told: Told): { message: string; said: World["said"] }[] {
  const saidMax: typeof SAID_MAX = { ...SAID_MAX, digests: told.digests, compare: told.compares };
  return legal(world[side], side)
    .filter((message) => (world.said[message] ?? 0) < (saidMax[message] ?? Infinity))
    .filter((message) => message !== "from" || world.digestsHeard === told.digests)
    .filter((message) => message !== "end" || world.sender !== "sending" || world.comparesHeard === told.compares)
    .map((message) => {
      const count = world.said[message];
      return { message, said: count === undefined ? world.said : { ...world.said, [message]: count + 1 } };
    });
}

/** Every world that can follow: one side says something, or hears the next thing. Throws what is illegal. */
function nextWorlds(world: World, told: Told): World[] {
  const worlds: World[] = [];
  for (const { message, said } of sayable(world, "sender", told)) {
    const sender = advanced(world.sender, "sender", message);
    worlds.push({ ...world, said, sender, toReceiver: [...world.toReceiver, message] });
  }
  for (const { message, said } of sayable(world, "receiver", told)) {
    const receiver = advanced(world.receiver, "receiver", message);
    worlds.push({ ...world, said, receiver, toSender: [...world.toSender, message] });
  }
  const [toReceiver, ...restToReceiver] = world.toReceiver;
  if (toReceiver) {
    worlds.push({ ...world, receiver: advanced(world.receiver, "sender", toReceiver), toReceiver: restToReceiver });
  }
  const [toSender, ...restToSender] = world.toSender;
  if (toSender) {
    worlds.push({
      ...world,
      sender: advanced(world.sender, "receiver", toSender),
      toSender: restToSender,
      digestsHeard: world.digestsHeard + (toSender === "digests" ? 1 : 0),
      comparesHeard: world.comparesHeard + (toSender === "compare" ? 1 : 0),
    });
  }
  return worlds;
}

for (
  const told of [
    { digests: 0, compares: 0 },
    { digests: 1, compares: 0 },
    { digests: 2, compares: 0 },
    { digests: 0, compares: 1 },
    { digests: 1, compares: 1 },
  ]
) {
  Deno.test(`no legal message is out of order for its hearer, however messages cross, with ${JSON.stringify(told)}`, () => {
    const seen = new Map<string, World>([[JSON.stringify(START), START]]);
    let ends = 0;
    for (const world of seen.values()) {
      let following: World[];
      try {
        following = nextWorlds(world, told);
      } catch (error) {
        throw new Error(`It went wrong in ${JSON.stringify(world)}`, { cause: error });
      }
      for (const next of following) {
        const key = JSON.stringify(next);
        if (!seen.has(key)) seen.set(key, next);
      }
      if (following.length > 0) continue;
      ends++;
      const isClean = world.toReceiver.length === 0 && world.toSender.length === 0;
      assert(isClean && world.sender === "finished" && world.receiver === "finished", JSON.stringify(world));
    }
    assert(seen.size > 100 && ends > 0, `only ${seen.size} worlds were seen`);
    const overEarly = [...seen.values()].filter(({ sender, receiver, toSender, toReceiver }) =>
      sender === "finished" && receiver === "finished" && toSender.length + toReceiver.length > 0
    );
    assert(overEarly.length === 0, `both are finished, and messages are on their way: ${JSON.stringify(overEarly[0])}`);
  });
}
