/** The legal orders of a transfer: every state, side and message, against a table of its own. */
import { type Side, TRANSFER_ORDER, TransferOrder, type TransferState } from "../../protocol/wire/transfer_order.ts";
import { MESSAGES } from "../../protocol/wire/messages/mod.ts";
import { assert, assertEquals, assertThrowsCode } from "../support/assert.ts";

/** For each state and side, the messages that may be sent, each with the state that follows. */
const LEGAL: Record<TransferState, Record<Side, Record<string, TransferState>>> = {
  start: {
    sender: { offer: "offered", "eager offer": "sending", error: "finished" },
    receiver: {},
  },
  offered: {
    sender: { error: "withdrawn", cancel: "withdrawn" },
    receiver: { accept: "proving", error: "declined" },
  },
  proving: {
    sender: { from: "sending", error: "withdrawn", cancel: "withdrawn" },
    receiver: { digests: "proving", compare: "proving", error: "declined" },
  },
  sending: {
    sender: { same: "sending", data: "sending", end: "answering", error: "withdrawn", cancel: "withdrawn" },
    receiver: { compare: "sending", error: "declined" },
  },
  answering: {
    sender: {},
    receiver: { stored: "finished", error: "finished" },
  },
  declined: {
    sender: {
      from: "declined",
      same: "declined",
      data: "declined",
      end: "finished",
      error: "finished",
      cancel: "finished",
    },
    receiver: {},
  },
  withdrawn: {
    sender: {},
    receiver: { accept: "withdrawn", digests: "withdrawn", compare: "withdrawn", error: "finished" },
  },
  finished: { sender: {}, receiver: {} },
};

const STATES = Object.keys(LEGAL) as TransferState[];
const SIDES = ["sender", "receiver"] as const;
const ALL_MESSAGES = [...Object.keys(MESSAGES), "eager offer", "data", "", "constructor"];

for (const state of STATES) {
  Deno.test(`a transfer that is ${state} takes exactly the messages of the table`, () => {
    for (const side of SIDES) {
      for (const message of ALL_MESSAGES) {
        const order = new TransferOrder();
        order.state = state;
        const next = Object.hasOwn(LEGAL[state][side], message) ? LEGAL[state][side][message] : undefined;
        if (next) {
          order.advance(side, message);
          assertEquals(order.state, next, `${side} ${message}`);
        } else {
          const error = assertThrowsCode(() => order.advance(side, message), "order");
          assert(error.message.includes(side) && error.message.includes(state), error.message);
          assertEquals(order.state, state, "a refused message changes nothing");
        }
      }
    }
  });
}

Deno.test("the published table has every legal step once, and no other", () => {
  const expected = STATES.flatMap((state) =>
    SIDES.flatMap((side) =>
      Object.entries(LEGAL[state][side]).map(([message, next]) => [state, side, message, next].join(" "))
    )
  );
  assertEquals(TRANSFER_ORDER.map((row) => row.join(" ")).sort(), expected.sort());
});

Deno.test("a transfer starts at the start and is over only when it is finished", () => {
  assertEquals(new TransferOrder().state, "start");
  for (const state of STATES) {
    const order = new TransferOrder();
    order.state = state;
    assertEquals(order.isOver, state === "finished", state);
  }
});

Deno.test("every state can be reached, and from each the transfer can be finished", () => {
  const reachable = new Set<TransferState>(["start"]);
  for (const state of reachable) for (const [from, , , next] of TRANSFER_ORDER) if (from === state) reachable.add(next);
  assertEquals([...reachable].sort(), [...STATES].sort());
  const ending = new Set<TransferState>(["finished"]);
  for (const state of ending) for (const [from, , , next] of TRANSFER_ORDER) if (next === state) ending.add(from);
  assertEquals([...ending].sort(), [...STATES].sort());
});

for (
  const [name, steps] of [
    ["with proof", "S offer, R accept, R digests, R digests, S from, S data, S data, S end, R stored"],
    ["that replaces", "S offer, R accept, R compare, S from, S same, R compare, S data, S end, R stored"],
    ["declined while blocks are compared", "S offer, R accept, S from, R compare, S same, R error, S same, S cancel"],
    ["called off while blocks are compared", "S offer, R accept, S from, S cancel, R compare, R error"],
    ["eager", "S eager offer, S data, S end, R stored"],
    ["of an empty file", "S eager offer, S end, R stored"],
    ["that comes to no offer", "S error"],
    ["declined at once", "S offer, R error, S cancel"],
    ["declined while the sender speaks", "S eager offer, S data, R error, S data, S data, S cancel"],
    ["declined while the sender ends", "S eager offer, R error, S data, S end"],
    ["declined while the blocks are proven", "S offer, R accept, R error, S from, S data, S cancel"],
    ["refused when all has come", "S offer, R accept, S from, S end, R error"],
    ["whose source changed", "S offer, R accept, S from, S data, S error, R error"],
    ["called off while the receiver answers", "S offer, S cancel, R accept, R digests, R error"],
  ] as const
) {
  Deno.test(`a transfer ${name} is legal from its first message to its last, and over then only`, () => {
    const order = new TransferOrder();
    for (const step of steps.split(", ")) {
      assertEquals(order.isOver, false, `over before "${step}"`);
      order.advance(step.startsWith("S") ? "sender" : "receiver", step.slice(2));
    }
    assertEquals(order.isOver, true);
  });
}
