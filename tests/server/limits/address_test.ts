/** Who counts as one address. */
import { addressOf, isOwn } from "../../../server/limits/address.ts";
import { assertEquals } from "../../support/assert.ts";

const CASES: readonly (readonly [peer: string, address: string])[] = [
  ["192.0.2.7:5000", "192.0.2.7"],
  ["127.0.0.1:5000", "127.0.0.1"],
  ["[::1]:5000", "::1"],
  ["[::ffff:192.0.2.7]:5000", "192.0.2.7"],
  ["[::FFFF:127.0.0.1]:5000", "127.0.0.1"],
  ["[2001:db8:1:2:3:4:5:6]:5000", "2001:db8:1:2::/64"],
  ["[2001:DB8:1:2::9]:1", "2001:db8:1:2::/64"],
  ["[2001:0db8:0001:0002::]:1", "2001:db8:1:2::/64"],
  ["[2001:db8::1]:1", "2001:db8:0:0::/64"],
  ["[fe80::1%eth0]:1", "fe80:0:0:0::/64"],
  ["[::2]:1", "0:0:0:0::/64"],
];

for (const [peer, address] of CASES) {
  Deno.test(`${peer} counts as ${address}`, () => assertEquals(addressOf(peer), address));
}

Deno.test("two networks of 64 bits are two addresses", () => {
  assertEquals(addressOf("[2001:db8:1:2::9]:1") === addressOf("[2001:db8:1:3::9]:1"), false);
});

Deno.test("this machine's own addresses are known, and no others", () => {
  for (const own of ["127.0.0.1", "127.9.9.9", "::1"]) assertEquals(isOwn(own), true, own);
  for (const other of ["192.0.2.7", "12.7.0.1", "2001:db8:1:2::/64", "::10"]) assertEquals(isOwn(other), false, other);
});
