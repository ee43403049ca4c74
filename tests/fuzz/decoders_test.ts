/**
 * Every other decoder, with harmed examples of what it takes: a value or an error that is declared for it, never
 * anything else. Each has a row here.
 */
import { deflateSync } from "node:zlib";
import { putCommand } from "../../client/commands/put.ts";
import { splitTyped, splitWords } from "../../client/shell/words.ts";
import { formatTarget, takeTarget } from "../../client/target.ts";
import { parseLine } from "../../protocol/cli/parse.ts";
import { AppError, type ErrorName } from "../../protocol/errors.ts";
import { escapeText, formatJson } from "../../protocol/escape.ts";
import { nameFault, numberedName, splitName } from "../../protocol/names.ts";
import { detectFormat, SERVED_FORMATS } from "../../protocol/wire/detect.ts";
import { hasGreetingForm, parseGreeting, parseGreetingReply } from "../../protocol/wire/greeting.ts";
import { parseImageRequest } from "../../protocol/wire/image.ts";
import { formatAbilities, parseOpening } from "../../protocol/wire/opening.ts";
import { decodePacket, formatSaving, parseEntry } from "../../protocol/wire/packet.ts";
import { decodeSegmentHeader, SEGMENT_HEADER_BYTES } from "../../protocol/wire/segment.ts";
import { parseShareList, parseShareRequest, shareRequestFault } from "../../protocol/wire/share.ts";
import { serveCommand } from "../../server/command.ts";
import { CsvRows, formatRow } from "../../server/records/csv_rows.ts";
import { keyOf } from "../../server/records/spelling.ts";
import { FakeTerminal } from "../cli/fake_terminal.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { mutateBytes } from "./mutations.ts";
import { playRounds } from "./rounds.ts";

const ROUNDS = 15_000;

interface Decoder {
  readonly name: string;
  readonly examples: readonly string[];
  /** Decodes, checks what must hold of any result, and may throw only `declared`. */
  readonly decode: (bytes: Uint8Array, text: string) => unknown;
  readonly declared: readonly ErrorName[];
}

const DECODERS: readonly Decoder[] = [
  {
    name: "the opening line",
    examples: ["APP/1 agent=app/0.1.0 data-max=262144", "APP/1 list a b", "APP/1 refused=idle", "APP/1 a=1 a=2 b="],
    declared: ["malformed"],
    decode(_, text) {
      const opening = parseOpening(text.replace("\n", ""));
      if (opening.kind === "words") return assert(opening.words.length > 0);
      const { dataBytesMax } = opening.abilities;
      assert(dataBytesMax >= 1_024 && dataBytesMax <= 262_144, String(dataBytesMax));
      assertEquals(parseOpening(formatAbilities(opening.abilities)).kind, "abilities");
    },
  },
  {
    name: "the header of a segment",
    examples: ["\0\0\0\x14\0\0\x14Z", "\x01\0\0\x14\0\x10\0\x5f", "\x02\0\x01\0\x03\0\0\x5a"],
    declared: ["damaged", "malformed", "limit"],
    decode(bytes) {
      if (bytes.length < SEGMENT_HEADER_BYTES) return;
      // Only one in 256 would have a sound check.
      const sound = Uint8Array.from(bytes.subarray(0, SEGMENT_HEADER_BYTES));
      if (bytes[7]! & 1) sound[7] = sound.subarray(0, 7).reduce((check, byte) => check ^ byte, 0x5a);
      const { kind, wireBytes, contentBytes } = decodeSegmentHeader(sound);
      assert(wireBytes > 0 && wireBytes <= contentBytes && contentBytes <= 262_144);
      assertEquals(kind === "plain", wireBytes === contentBytes);
    },
  },
  {
    name: "share",
    examples: ["list", "get,a.txt", "put,Grüße.txt", "a.txt, b, c d, "],
    declared: [],
    decode(bytes, text) {
      const { command, name } = parseShareRequest(bytes);
      assert(command === "list" ? name === "" : bytes.length <= 32 || shareRequestFault(bytes) !== undefined);
      assert(parseShareList(text).every((one) => one !== ""));
    },
  },
  {
    name: "greeting",
    examples: ["Client of Ethan: 42", "Server of app: -7\r\nServer closing...\r\n", "Client of a: b: +1"],
    declared: ["malformed"],
    decode(bytes, text) {
      const { name } = text.startsWith("S") ? parseGreetingReply(bytes) : parseGreeting(bytes);
      assert(name !== "" && (text.startsWith("S") || hasGreetingForm(bytes)));
    },
  },
  {
    name: "image",
    examples: ["a.txt", "Grüße aus Köln.txt"],
    declared: [],
    decode: (bytes) => parseImageRequest(bytes)?.length,
  },
  {
    name: "packet",
    examples: ["c|France", "a|Korea, South,Seoul", "|Paris", "p|"],
    declared: ["malformed"],
    decode(bytes) {
      const { contents } = decodePacket(bytes);
      const { country, capital } = parseEntry(contents);
      assertEquals([country, capital], [country.trim(), capital.trim()]);
      assert(!/NaN|Infinity/.test(formatSaving(bytes.length, deflateSync(bytes).length)));
    },
  },
  {
    name: "rows of CSV",
    examples: [
      'Country,Capital,Population\nFrance,Paris,68\n"Korea, South",Seoul,\n',
      'name,city\r\n"a ""b""",c\r\n"open\nquote",d\n,,\n',
      '\ufeff"Country","Capital"\n"Mu","Hira',
    ],
    declared: [],
    decode(_, text) {
      const rows = new CsvRows(text);
      const lines = text.split("\n").length;
      for (let row = rows.next(); row; row = rows.next()) {
        assert(row.record.country !== "" && row.record.capital !== "" && row.line <= lines);
        assert(row.record.population === undefined || Number.isSafeInteger(row.record.population));
        assert(formatRow(row.record, rows.columns).endsWith("\n"));
      }
      assert(rows.faults.every(({ line, column }) => line >= 1 && line <= lines && column >= 1), text);
    },
  },
  {
    name: "names",
    examples: ["a/b/c.txt", "Grüße aus Köln.txt", ".hidden/x (2).tar.gz", "x".repeat(250)],
    declared: [],
    decode(_, text) {
      if (nameFault(text) !== undefined) return;
      const { directory, base } = splitName(text);
      assert(base !== "" && !base.includes("/") && !base.startsWith(".app-"));
      assert(!text.split("/").some((part) => part === "" || part === "." || part === ".."));
      assertEquals(splitName(numberedName(text, 2)).directory, directory);
    },
  },
  {
    name: "text that is shown",
    examples: ["Grüße\x1b[31m", "a\u202eb\u0000", "\u{e0001}\u{1f468}\u200d\u{1f469}"],
    declared: [],
    decode(_, text) {
      // deno-lint-ignore no-control-regex -- that none is left is the point
      assert(!/[\x00-\x1f\x7f-\x9f\u2028\u202e]/.test(escapeText(text) + formatJson({ text })));
      assertEquals(JSON.parse(formatJson({ text })), { text });
    },
  },
  {
    name: "spellings of countries",
    examples: ["The Gambia", "Bahamas, The", "Côte d'Ivoire", "U.S.A."],
    declared: [],
    decode: (_, text) => keyOf(text).length,
  },
  {
    name: "HOST PORT",
    examples: ["127.0.0.1 6000", "[::1]:6000", "host:365", "::1 80"],
    declared: ["usage"],
    decode(_, text) {
      const { target } = takeTarget(text.split(" "), new FakeTerminal());
      assert(target.port >= 1 && target.port <= 65_535, formatTarget(target));
    },
  },
  {
    name: "lines of the shell",
    examples: ['get \'a b\' "c \\" d" e\\ f', "list --all", "put x --as 'y"],
    declared: ["usage"],
    decode(_, text) {
      assert(splitTyped(text).last.start <= text.length);
      assert(splitWords(text).every((word) => word.length <= text.length));
    },
  },
  {
    name: "command lines",
    examples: ["-p 6000 --wire app,share --max-file-size 500K --no-log", "a.txt --as=b --if-exists rename -- -x"],
    declared: ["usage"],
    decode(_, text) {
      for (const command of [serveCommand, putCommand]) parseLine(command, text.split(" "));
    },
  },
];

for (const { name, examples, decode, declared } of DECODERS) {
  Deno.test(`${name}: harmed examples give a value or a declared error`, async () => {
    await playRounds({
      name,
      rounds: ROUNDS,
      play({ random, describe }) {
        let bytes: Uint8Array = new TextEncoder().encode(random.pick(examples));
        for (let count = random.below(4); count > 0; count--) bytes = mutateBytes(bytes, random);
        const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
        describe(JSON.stringify(text));
        return codeOf(() => decode(bytes, text), declared);
      },
    });
  });
}

function codeOf(call: () => unknown, declared: readonly ErrorName[]): string {
  try {
    call();
    return "value";
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    assert(declared.includes(error.code), `${error.code}: ${error.message}`);
    return error.code;
  }
}

Deno.test("once the format of the first bytes is told, no bytes behind them tell another", async () => {
  const beginnings = ["APP/1 list\n", "GET / HTTP/1.1\r\n", "\x16\x03\x01", "Client of a: 1", "get,a", "list", "a.txt"];
  const examples = [...beginnings.map((text) => new TextEncoder().encode(text)), Uint8Array.from(deflateSync("c|x"))];
  await playRounds({
    name: "formats",
    rounds: ROUNDS,
    play({ random, describe }) {
      let bytes: Uint8Array = random.pick(examples);
      for (let count = random.below(3); count > 0; count--) bytes = mutateBytes(bytes, random);
      const accepted = SERVED_FORMATS.filter(() => random.below(4) > 0);
      describe(`${bytes.toHex()} where ${accepted} are served`);
      let told: string | undefined;
      for (let length = 1; length <= bytes.length; length++) {
        const format = detectFormat(bytes.subarray(0, length), "sending", accepted);
        assert(told === undefined || format === told, `${told}, and with ${length} bytes ${format}`);
        told = format;
      }
      const atEnd = detectFormat(bytes, "ended", accepted);
      assertEquals(atEnd === undefined, bytes.length === 0);
      if (told !== undefined) assertEquals(atEnd, told);
      return atEnd ?? "nothing";
    },
  });
});
