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

const COMMANDS = /^On another machine: app list (\S+) (\d+)$/;

function commandsOf(lines: readonly string[]): string[] {
  return lines.flatMap((line) => COMMANDS.exec(line)?.slice(1).join(" ") ?? []);
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

Deno.test("start lines on all addresses of IPv4 name each that others can reach", () => {
  const lines = formatStartLines({ ...FACTS, address: "0.0.0.0" });
  assertEquals(lines[0], "Running on IP: 192.168.1.7");
  assertEquals(commandsOf(lines), ["192.168.1.7 6000", "10.0.0.5 6000"]);
  assertEquals(lines.filter((line) => line.startsWith("WARNING: ")).length, 1);
});

Deno.test("start lines on all addresses of both kinds name IPv6 too, without those of one link", () => {
  const lines = formatStartLines({ ...FACTS, address: "::" });
  assertEquals(commandsOf(lines), ["192.168.1.7 6000", "10.0.0.5 6000", "2001:db8::7 6000"]);
});

Deno.test("start lines on one address of this machine name it, and warn", () => {
  const lines = formatStartLines({ ...FACTS, address: "10.0.0.5" });
  assertEquals(lines[0], "Running on IP: 10.0.0.5");
  assertEquals(commandsOf(lines), ["10.0.0.5 6000"]);
  assertMatch(lines.at(-1)!, /^WARNING: anybody who reaches this port can read and add files/);
  const readOnly = formatStartLines({ ...FACTS, address: "10.0.0.5", readOnly: true });
  assertMatch(readOnly.at(-1)!, /^WARNING: anybody who reaches this port can read files/);
});

Deno.test("start lines warn of old formats that others can reach, and name the option where there are none", () => {
  const oldLines = (oldFormats: string[]) =>
    formatStartLines({ ...FACTS, address: "10.0.0.5", oldFormats }).filter((line) => /format|served/.test(line));
  assertMatch(oldLines([]).join(), /^Old programs are not served: name their formats with --wire,/);
  assertMatch(oldLines(["share"]).join(), /^WARNING: share is served \(--wire\), without/);
  assertMatch(oldLines(["share", "image"]).join(), /^WARNING: share, image are served \(--wire\), without/);
});

Deno.test("start lines on all addresses of a machine without any still say where it runs", () => {
  const lines = formatStartLines({ ...FACTS, address: "0.0.0.0", interfaces: FACTS.interfaces.slice(0, 1) });
  assertEquals([lines[0], commandsOf(lines)], ["Running on IP: 0.0.0.0", []]);
});

Deno.test("loopback is told from everything else", () => {
  for (const address of ["127.0.0.1", "127.1.2.3", "::1", "localhost"]) assertEquals(isLoopback(address), true);
  for (const address of ["0.0.0.0", "::", "10.0.0.1", "192.168.127.1", "::ffff:10.0.0.1"]) {
    assertEquals(isLoopback(address), false);
  }
});
