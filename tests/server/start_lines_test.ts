/** The first lines of `app serve`, which scripts read. */
import { formatStartLines, isLoopback } from "../../server/start_lines.ts";
import { assertEquals, assertMatch } from "../support/assert.ts";

const FACTS = {
  address: "127.0.0.1",
  port: 6000,
  root: "photos",
  readOnly: false,
  oldFormats: [],
  measure: { files: 1, sizeBytes: 1_945_600 },
  interfaces: [
    { address: "127.0.0.1", family: "IPv4" },
    { address: "192.168.1.7", family: "IPv4" },
    { address: "10.0.0.5", family: "IPv4" },
    { address: "::1", family: "IPv6" },
    { address: "fe80::1", family: "IPv6" },
    { address: "2001:db8::7", family: "IPv6" },
  ],
} as const;

const KEY = "A".repeat(43);
const SECRET = "B".repeat(21) + "A";
const PROTECTION = {
  strangers: "none",
  key: KEY,
  fingerprint: "7Q3F-ZK5A-K2",
  isPlainAllowed: false,
  secret: SECRET,
} as const;
const CLOSED = { ...FACTS, address: "10.0.0.5", protection: PROTECTION };

/** The hosts and ports in the lines that say what to enter elsewhere. */
function hostsIn(lines: readonly string[]): string[] {
  return lines.flatMap((line) => /^Read: {2}app \S+ app:\/\/(\S+):6000\//.exec(line)?.[1] ?? []);
}

Deno.test("start lines on loopback are the three of the README", () => {
  const lines = [
    "Running on IP: 127.0.0.1",
    "Running on port: 6000",
    "Sharing: photos (1 file, 1.9 MB), uploads allowed",
  ];
  assertEquals(formatStartLines(FACTS), lines);
  assertEquals(formatStartLines({ ...FACTS, address: "::1" }), ["Running on IP: ::1", ...lines.slice(1)]);
});

Deno.test("start lines say read-only, the plural, and nothing of a count that took too long", () => {
  const third = (more: Partial<Parameters<typeof formatStartLines>[0]>) => formatStartLines({ ...FACTS, ...more })[2];
  assertEquals(third({ readOnly: true }), "Sharing: photos (1 file, 1.9 MB), read-only");
  assertEquals(third({ measure: { files: 0, sizeBytes: 0 } }), "Sharing: photos (0 files, 0 B), uploads allowed");
  assertEquals(third({ measure: undefined }), "Sharing: photos, uploads allowed");
  assertEquals(third({ root: "a\nb\u001b" }), "Sharing: a\\u{a}b\\u{1b} (1 file, 1.9 MB), uploads allowed");
});

Deno.test("start lines of a closed server have the link that was made for it", () => {
  assertEquals(formatStartLines({ ...CLOSED, protection: { ...PROTECTION, example: "img.jpg" } }), [
    "Running on IP: 10.0.0.5",
    "Running on port: 6000",
    "Sharing: photos (1 file, 1.9 MB), encrypted, key 7Q3F-…-K2",
    `Read:  app get app://10.0.0.5:6000/img.jpg#${KEY}.${SECRET}`,
  ]);
  assertEquals(formatStartLines({ ...CLOSED, readOnly: true }).slice(2), [
    "Sharing: photos (1 file, 1.9 MB), read-only, encrypted, key 7Q3F-…-K2",
    `Read:  app list app://10.0.0.5:6000/#${KEY}.${SECRET}`,
  ]);
  const none = formatStartLines({ ...CLOSED, protection: { ...PROTECTION, secret: undefined } });
  assertEquals(none.slice(3), ["No link was made: app link photos makes one"]);
});

Deno.test("start lines of a public server have a link without a secret, and warn", () => {
  const lines = (strangers: "public" | "public-write", more = {}) =>
    formatStartLines({ ...CLOSED, ...more, protection: { ...PROTECTION, strangers } }).slice(3);
  const read = `Read:  app list app://10.0.0.5:6000/#${KEY}`;
  const readers = "WARNING: anybody who reaches this port can read files (--public)";
  assertEquals(lines("public"), [read, readers]);
  const writers = "WARNING: anybody who reaches this port can read and add files (--public-write)";
  assertEquals(lines("public-write"), [read, writers]);
});

Deno.test("start lines on all addresses of IPv4 name each that others can reach", () => {
  const lines = formatStartLines({ ...CLOSED, address: "0.0.0.0" });
  assertEquals(lines[0], "Running on IP: 192.168.1.7");
  assertEquals(hostsIn(lines), ["192.168.1.7", "10.0.0.5"]);
});

Deno.test("start lines on all addresses of both kinds name IPv6 too, without those of one link", () => {
  assertEquals(hostsIn(formatStartLines({ ...CLOSED, address: "::" })), ["192.168.1.7", "10.0.0.5", "[2001:db8::7]"]);
});

Deno.test("start lines warn of old formats and of unencrypted connections", () => {
  const warnings = (oldFormats: string[], isPlainAllowed = false) =>
    formatStartLines({ ...CLOSED, oldFormats, protection: { ...PROTECTION, isPlainAllowed } }).slice(4);
  assertEquals(warnings([]), []);
  assertMatch(warnings(["share"]).join("\n"), /^WARNING: share is served \(--wire\), without [^\n]*$/);
  assertMatch(warnings(["share", "image"]).join("\n"), /^WARNING: share, image are served \(--wire\), without [^\n]*$/);
  assertMatch(warnings([], true).join("\n"), /^WARNING: unencrypted [^\n]*--plain[^\n]*$/);
  assertEquals(formatStartLines({ ...FACTS, oldFormats: ["share"] }).length, 3);
});

Deno.test("start lines on all addresses of a machine without any still say where it runs", () => {
  const interfaces = FACTS.interfaces.slice(0, 1);
  const lines = formatStartLines({ ...CLOSED, address: "0.0.0.0", interfaces });
  assertEquals([lines[0], hostsIn(lines)], ["Running on IP: 0.0.0.0", ["127.0.0.1"]]);
});

Deno.test("loopback is told from everything else", () => {
  for (const address of ["127.0.0.1", "127.1.2.3", "::1", "localhost"]) assertEquals(isLoopback(address), true);
  for (const address of ["0.0.0.0", "::", "10.0.0.1", "192.168.127.1", "::ffff:10.0.0.1"]) {
    assertEquals(isLoopback(address), false);
  }
});
