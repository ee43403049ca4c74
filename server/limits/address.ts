/** Who counts as one: the address of a peer, without its port. */

/**
 * What limits of one address count by: an IPv4 address, also one that came over IPv6, or the first 64 bits of an IPv6
 * one, since whoever has one of those has all of them. `peer` is as in `ByteStream`.
 */
export function addressOf(peer: string): string {
  const host = /^\[(.*)\]:\d+$/.exec(peer)?.[1] ?? peer.replace(/:\d+$/, "");
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(host)?.[1];
  if (mapped) return mapped;
  if (!host.includes(":") || host === "::1") return host;
  return `${groupsOf(host.replace(/%.*$/, "")).slice(0, 4).join(":")}::/64`;
}

/** Whether it is this machine's own: then it stands for anybody who comes through a tunnel. */
export function isOwn(address: string): boolean {
  return address === "::1" || address.startsWith("127.");
}

/** The eight groups of an IPv6 address, without leading zeros. */
function groupsOf(host: string): string[] {
  const [head = "", tail] = host.toLowerCase().split("::");
  const split = (text: string) => text === "" ? [] : text.split(":").map((group) => group.replace(/^0+(?=.)/, ""));
  const before = split(head);
  const after = tail === undefined ? [] : split(tail);
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  return [...before, ...new Array<string>(zeros).fill("0"), ...after];
}
