/** Who is let in, who is refused, and whose place a newcomer gets. */
import { Gate, type GateLimits, type Pass } from "../../../server/limits/gate.ts";
import { assert, assertEquals } from "../../support/assert.ts";

const WIDE: GateLimits = {
  connectionsMax: 1_000,
  connectionsPerAddressMax: 1_000,
  openingsMax: 1_000,
  openingsPerAddressMax: 1_000,
};

/** A gate, and what became of those who came: their names, as they were dropped. */
function gateWith(limits: Partial<GateLimits>) {
  const gate = new Gate({ ...WIDE, ...limits });
  const dropped: string[] = [];
  const come = (name: string, address: string) => gate.admit(`${address}:1`, () => dropped.push(name));
  const admit = (name: string, address: string): Pass => {
    const pass = come(name, address);
    assert(typeof pass !== "string", `${name} was refused: ${pass}`);
    return pass;
  };
  return { gate, dropped, come, admit };
}

Deno.test("as many connections as allowed are let in, one more is refused, and a place that is left is taken", () => {
  const { gate, come, admit, dropped } = gateWith({ connectionsMax: 2 });
  const passes = ["192.0.2.1", "192.0.2.2"].map((address) => admit(address, address));
  passes.forEach((pass) => pass.opened());
  assertEquals(come("third", "192.0.2.3"), "too_many_connections");
  passes[0]![Symbol.dispose]();
  passes[0]![Symbol.dispose](); // leaves only once
  admit("third", "192.0.2.3");
  assertEquals([gate.connections, gate.totals, dropped], [2, { accepted: 3, refused: 1, dropped: 0 }, []]);
});

Deno.test("one address fills its own places, and others are let in beside it", () => {
  const { come, admit, dropped } = gateWith({ connectionsPerAddressMax: 2 });
  for (const name of ["a", "b"]) admit(name, "192.0.2.1").opened();
  assertEquals(come("c", "192.0.2.1"), "address_full");
  admit("d", "192.0.2.2");
  assertEquals(dropped, []);
});

Deno.test("a network of 64 bits is one address", () => {
  const { come, admit } = gateWith({ connectionsPerAddressMax: 1 });
  admit("a", "[2001:db8::1]").opened();
  assertEquals(come("b", "[2001:db8::2]"), "address_full");
  admit("c", "[2001:db8:0:1::1]");
});

Deno.test("this machine's own address has no limit but that of all", () => {
  const { come, admit, dropped } = gateWith({
    connectionsPerAddressMax: 1,
    openingsPerAddressMax: 1,
    connectionsMax: 3,
  });
  for (const name of ["a", "b", "c"]) admit(name, "127.0.0.1").opened();
  assertEquals([come("d", "127.0.0.1"), dropped], ["too_many_connections", []]);
});

Deno.test("one opening more than allowed gets the place of the oldest, not of one that is done", () => {
  const { gate, admit, dropped } = gateWith({ openingsMax: 2 });
  admit("done", "192.0.2.1").opened();
  for (const name of ["first", "second", "third", "fourth"]) admit(name, "192.0.2.1");
  assertEquals([dropped, gate.openings, gate.totals.dropped], [["first", "second"], 2, 2]);
});

Deno.test("those that have not spoken go before those that have, and then the oldest", () => {
  const { admit, dropped } = gateWith({ openingsMax: 3 });
  for (const name of ["a", "b"]) admit(name, "192.0.2.1").spoke();
  for (const name of ["c", "d", "e"]) admit(name, "192.0.2.1");
  assertEquals(dropped, ["c", "d"]);
  const { admit: admitSpeaker, dropped: speakers } = gateWith({ openingsMax: 2 });
  for (const name of ["a", "b", "c"]) admitSpeaker(name, "192.0.2.1").spoke();
  assertEquals(speakers, ["a"]);
});

Deno.test("the crowd of one address loses places, and the single opening of another keeps its own", () => {
  const { admit, dropped } = gateWith({ openingsMax: 5 });
  admit("honest", "192.0.2.9");
  for (let count = 0; count < 50; count++) admit(`crowd ${count}`, "192.0.2.1");
  assertEquals([dropped.length, dropped.includes("honest")], [46, false]);
});

Deno.test("openings of one address push out one another first", () => {
  const { admit, dropped } = gateWith({ openingsPerAddressMax: 2 });
  admit("other", "192.0.2.9");
  for (const name of ["a", "b", "c"]) admit(name, "192.0.2.1");
  assertEquals(dropped, ["a"]);
});

Deno.test("places that openings hold are given to newcomers, also when all are taken", () => {
  const { come, admit, dropped } = gateWith({ connectionsMax: 2 });
  admit("at work", "192.0.2.1").opened();
  const silent = admit("silent", "192.0.2.2");
  admit("newcomer", "192.0.2.3").opened();
  assertEquals(dropped, ["silent"]);
  silent[Symbol.dispose]();
  assertEquals(come("late", "192.0.2.4"), "too_many_connections");
});

Deno.test("a burst of newcomers is let in one in the place of the other, before those that are dropped have ended", () => {
  const { gate, admit, dropped } = gateWith({ connectionsMax: 3, openingsMax: 2 });
  const passes = Array.from({ length: 100 }, (_, count) => admit(`${count}`, "192.0.2.1"));
  assertEquals([gate.connections, gate.openings, dropped.length], [2, 2, 98]);
  passes.forEach((pass) => pass[Symbol.dispose]());
  assertEquals([gate.connections, gate.openings, gate.mostOfOneAddress], [0, 0, 0]);
});

Deno.test("without descriptors the oldest opening is dropped, if there is one", () => {
  const { gate, admit, dropped } = gateWith({});
  assertEquals(gate.dropOldest(), false);
  admit("at work", "192.0.2.1").opened();
  assertEquals(gate.dropOldest(), false);
  admit("a", "192.0.2.1");
  assertEquals([gate.dropOldest(), dropped], [true, ["a"]]);
});

Deno.test("addresses that have left are forgotten", () => {
  const { gate, admit } = gateWith({});
  const passes = [admit("a", "192.0.2.1"), admit("b", "192.0.2.1")];
  assertEquals(gate.mostOfOneAddress, 2);
  passes.forEach((pass) => pass[Symbol.dispose]());
  assertEquals([gate.mostOfOneAddress, gate.connections, gate.openings], [0, 0, 0]);
});
