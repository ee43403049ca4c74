/** HOST PORT in all ways of writing it, and the questions for what is missing. */
import { askFor, formatTarget, namesOf, takeTarget } from "../../client/target.ts";
import { FakeTerminal } from "../cli/fake_terminal.ts";
import { assertEquals, assertStringIncludes, assertThrowsCode } from "../support/assert.ts";

const SILENT = new FakeTerminal();

function taken(...words: string[]): [host: string, port: number, ...rest: string[]] {
  const { target, rest } = takeTarget(words, SILENT);
  return [target.host, target.port, ...rest];
}

Deno.test("host and port are taken as two words or one, and the rest is left", () => {
  const cases: readonly (readonly [words: string[], result: [string, number, ...string[]]])[] = [
    [["127.0.0.1", "6000"], ["127.0.0.1", 6000]],
    [["127.0.0.1", "6000", "a", "b"], ["127.0.0.1", 6000, "a", "b"]],
    [["127.0.0.1:6000"], ["127.0.0.1", 6000]],
    [["127.0.0.1:6000", "a", "b"], ["127.0.0.1", 6000, "a", "b"]],
    [["localhost:1", "7"], ["localhost", 1, "7"]],
    [["my-host.example:65535", "a:1"], ["my-host.example", 65_535, "a:1"]],
    [["[::1]:6000", "a"], ["::1", 6000, "a"]],
    [["[::1]", "6000", "a"], ["::1", 6000, "a"]],
    [["::1", "6000", "a"], ["::1", 6000, "a"]],
    [["2001:db8::1", "6000"], ["2001:db8::1", 6000]],
    [["::ffff:127.0.0.1", "6000"], ["::ffff:127.0.0.1", 6000]],
    [["fe80::1%eth0", "6000"], ["fe80::1%eth0", 6000]],
    [["[fe80::1%eth0]:6000"], ["fe80::1%eth0", 6000]],
    [["host", "365", "img.jpg"], ["host", 365, "img.jpg"]],
  ];
  for (const [words, result] of cases) assertEquals(taken(...words), result, words.join(" "));
});

Deno.test("ports are decimal numbers from 1 to 65535, and nothing else", () => {
  for (const port of ["1", "80", "6000", "65535"]) {
    assertEquals(taken("h", port), ["h", Number(port)]);
    assertEquals(taken(`h:${port}`), ["h", Number(port)]);
    assertEquals(taken(`[::1]:${port}`), ["::1", Number(port)]);
  }
  const refused = ["0", "65536", "99999", "100000", "-1", "+1", "abc", "1e3", "0x50", "6000.0", " 6000", "6000 ", "٣"];
  for (const port of refused) {
    for (const words of [["h", port], [`h:${port}`], [`[::1]:${port}`], ["::1", port]]) {
      const error = assertThrowsCode(() => taken(...words), "usage");
      assertStringIncludes(error.message, `${JSON.stringify(port)} is no port`);
      assertEquals(error.exit, 2);
    }
  }
});

Deno.test("a port with a zero in front is decimal, as in any other place", () => {
  assertEquals(taken("h", "080"), ["h", 80]);
  assertEquals(taken("h:00080"), ["h", 80]);
  assertThrowsCode(() => taken("h", "000080"), "usage");
});

Deno.test("nothing is guessed: the second word must be the port", () => {
  const { message, advice } = assertThrowsCode(() => taken("127.0.0.1", "img.jpg", "6000"), "usage");
  assertEquals(message, `"img.jpg" is no port: it must be a number from 1 to 65535`);
  assertEquals(advice, "Write HOST PORT, host:port or [v6]:port before any other word");
  assertEquals(taken("127.0.0.1", "6000", "img.jpg"), ["127.0.0.1", 6000, "img.jpg"]);
});

Deno.test("an empty port is no port", () => {
  for (const words of [["h:"], ["h:", "6000"], ["[::1]:"], ["h", ""]]) {
    assertThrowsCode(() => taken(...words), "usage");
  }
});

Deno.test("an empty host is no host", () => {
  for (const words of [["", "6000"], [":6000"], ["[]:6000"], ["[]", "6000"], [" ", "6000"]]) {
    assertThrowsCode(() => taken(...words), "usage");
  }
  assertEquals(taken("h", "6000"), ["h", 6000]);
});

Deno.test("brackets must be whole", () => {
  for (const words of [["[::1", "6000"], ["::1]", "6000"], ["[::1]6000"], ["[::1]x:6000"]]) {
    assertThrowsCode(() => taken(...words), "usage");
  }
});

Deno.test("missing words are an error that names them when nobody can be asked", () => {
  assertEquals(assertThrowsCode(() => taken(), "usage").message, "HOST is missing");
  assertEquals(assertThrowsCode(() => taken("h"), "usage").message, "PORT is missing");
  assertEquals(assertThrowsCode(() => taken("[::1]"), "usage").message, "PORT is missing");
  assertEquals(assertThrowsCode(() => askFor("NAME", "? ", SILENT), "usage").message, "NAME is missing");
  assertEquals(SILENT.questions, []);
});

Deno.test("missing words are asked for on a terminal, with the old prompts", () => {
  const both = new FakeTerminal({ canAsk: true }, ["127.0.0.1", " 6000 "]);
  assertEquals(takeTarget([], both), { target: { host: "127.0.0.1", port: 6000 }, rest: [], path: "" });
  assertEquals(both.questions, ["Enter ip --> ", "Enter port --> "]);

  const port = new FakeTerminal({ canAsk: true }, ["6000"]);
  assertEquals(takeTarget(["h"], port).target, { host: "h", port: 6000 });
  assertEquals(port.questions, ["Enter port --> "]);

  const oneWord = new FakeTerminal({ canAsk: true }, ["h:6000"]);
  assertEquals(takeTarget([], oneWord).target, { host: "h", port: 6000 });
  assertEquals(oneWord.questions, ["Enter ip --> "]);

  const none = new FakeTerminal({ canAsk: true });
  takeTarget(["h", "6000"], none);
  assertEquals(none.questions, []);
});

Deno.test("an empty answer, or none, is a missing word", () => {
  for (const answer of ["", "   ", undefined]) {
    const terminal = new FakeTerminal({ canAsk: true }, [answer]);
    assertEquals(assertThrowsCode(() => takeTarget([], terminal), "usage").message, "HOST is missing");
  }
});

Deno.test("a bad port from a person is refused like one on the command line", () => {
  const terminal = new FakeTerminal({ canAsk: true }, ["many"]);
  assertStringIncludes(assertThrowsCode(() => takeTarget(["h"], terminal), "usage").message, `"many" is no port`);
});

Deno.test("targets are shown as a person would type them", () => {
  assertEquals(formatTarget({ host: "::1", port: 6000 }), "::1 6000");
  assertEquals(taken(...formatTarget({ host: "::1", port: 6000 }).split(" ")), ["::1", 6000]);
});

const KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
const SECRET = "AAECAwQFBgcICQoLDA0ODw";

Deno.test("a link stands for host and port, wherever it comes from, and names what it leads to first", () => {
  const linkTo = (path: string) => `app://h:6000/${path}#${KEY}.${SECRET}`;
  const target = { host: "h", port: 6000, key: KEY, secret: SECRET };
  const cases: readonly (readonly [path: string, words: string[], names: string[]])[] = [
    ["", [], []],
    ["", ["a", "b"], ["a", "b"]],
    ["img.jpg", [], ["img.jpg"]],
    ["img.jpg", ["b"], ["img.jpg", "b"]],
    ["in/a%20b", [], ["in/a b"]],
    ["in/", [], ["in"]],
    ["in/", ["a", "b/c"], ["in/a", "in/b/c"]],
  ];
  for (const [path, words, names] of cases) {
    for (const taken of [takeTarget([linkTo(path), ...words], SILENT), takeTarget(words, SILENT, linkTo(path))]) {
      assertEquals(taken.target, target);
      assertEquals(namesOf(taken), names);
    }
  }
  assertEquals(formatTarget(target), "h 6000");
});

Deno.test("a link that leads to no name is refused, and its secret is not repeated", () => {
  for (const path of ["../a", "/etc", "a//b", ".", "/"]) {
    const error = assertThrowsCode(() => takeTarget([`app://h:6000/${path}#${KEY}.${SECRET}`], SILENT), "bad_name");
    assertEquals(error.message.includes(SECRET), false);
  }
});
