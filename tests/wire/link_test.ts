/** Links: the vectors of the specification, what is refused, and that nothing repeats a secret. */
import { formatLink, hideSecrets, isLink, isSecret, type Link, parseLink } from "../../protocol/wire/link.ts";
import { makeSecret } from "../../server/access/secret.ts";
import { assert, assertEquals, assertThrowsCode } from "../support/assert.ts";
import { withSeed } from "../support/random.ts";
import { tableAfter } from "../support/spec_tables.ts";

const KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
const SECRET = "AAECAwQFBgcICQoLDA0ODw";
const END = `#${KEY}.${SECRET}`;

Deno.test("links are read and written as the vectors of the specification say", () => {
  const rows = tableAfter("### Test vectors of links");
  assert(rows.length >= 6);
  for (const [text, host, port, path, isPublic] of rows) {
    const link: Link = {
      host: host!,
      port: Number(port),
      path: path === "(none)" ? "" : path!,
      key: KEY,
      ...(isPublic === "yes" ? {} : { secret: SECRET }),
    };
    assertEquals(parseLink(text!), link);
    assertEquals(formatLink(link), text);
    assert(isLink(text!));
  }
});

Deno.test("what is not exactly a link is refused, and no error repeats any of it", () => {
  const bad = [
    "",
    "app://",
    "http://host:6000/" + END,
    "APP://host:6000/" + END,
    " app://host:6000/" + END,
    "app://host:6000/" + END + "\n",
    "app://host:6000" + END,
    "app://host/" + END,
    "app://host:/" + END,
    "app://:6000/" + END,
    "app://host:0/" + END,
    "app://host:06000/" + END,
    "app://host:65536/" + END,
    "app://host:600000/" + END,
    "app://user@host:6000/" + END,
    "app://::1:6000/" + END,
    "app://[::1%eth0]:6000/" + END,
    "app://[host]:6000/" + END,
    "app://[127.0.0.1]:6000/" + END,
    "app://höst:6000/" + END,
    "app://host:6000/a b" + END,
    "app://host:6000/ü" + END,
    "app://host:6000/%c3%bc" + END,
    "app://host:6000/%61" + END,
    "app://host:6000/%C3" + END,
    "app://host:6000/%zz" + END,
    "app://host:6000/a?b" + END,
    "app://host:6000/a#b" + END,
    "app://host:6000/",
    "app://host:6000/#",
    `app://host:6000/#.${SECRET}`,
    `app://host:6000/#${KEY}.`,
    `app://host:6000/#${KEY}.${SECRET}.`,
    `app://host:6000/#${KEY}.${SECRET}A`,
    `app://host:6000/#${KEY}.${SECRET.slice(1)}`,
    `app://host:6000/#${KEY}.${SECRET.slice(0, -1)}x`, // bits behind the last byte
    `app://host:6000/#${KEY}${SECRET}`,
    `app://host:6000/#${KEY.slice(1)}.${SECRET}`,
    `app://host:6000/#${KEY.slice(0, -1)}9.${SECRET}`, // the same of the key
    `app://host:6000/#${KEY.replace("A", "+")}.${SECRET}`,
    `app://host:6000/#${KEY}=.${SECRET}`,
  ];
  for (const text of bad) {
    const { message, advice } = assertThrowsCode(() => parseLink(text), "usage");
    for (const part of [SECRET.slice(0, 12), KEY.slice(0, 12), "host:6000"]) {
      assert(!message.includes(part) && !advice.includes(part), `${text}: ${message}`);
    }
  }
  parseLink("app://host:6000/" + END);
});

Deno.test("any name comes through a link as it is", () =>
  withSeed((random) => {
    const letters = ["a", "Z", "0", " ", "#", "?", "%", "&", "'", '"', "ü", "日", "🎈", ".", "-", "~", "$", "(", "\\"];
    for (let round = 0; round < 200; round++) {
      const path = Array.from({ length: random.below(12) }, () => random.pick(letters)).join("") +
        random.pick(["", "/", "/x"]);
      const link = { host: "h", port: 1 + random.below(65_535), path, key: KEY, secret: makeSecret() };
      const text = formatLink(link);
      assertEquals(parseLink(text), link);
      assert(/^[\x21-\x7e]+$/.test(text) && !/['"$&()\\]/.test(text), text); // as a shell takes it
    }
  }));

Deno.test("secrets have one form, and random ones differ", () => {
  const made = Array.from({ length: 100 }, makeSecret);
  assert(made.every(isSecret));
  assertEquals(new Set(made).size, made.length);
  assertEquals([SECRET + "A", SECRET.slice(1), "", SECRET.slice(0, -1) + "x"].map(isSecret), [
    false,
    false,
    false,
    false,
  ]);
});

Deno.test("secrets are taken out of any text, whole or damaged, and nothing else is", () => {
  const link = "app://host:6000/a.txt" + END;
  assertEquals(hideSecrets(`Unexpected "${link}": it`), `Unexpected "app://host:6000/a.txt#…": it`);
  for (
    const damaged of [
      link + "x",
      link.slice(0, -3),
      link.replace("AAE", "AE"),
      link.replace(":6000", ""),
      link.toUpperCase(),
    ]
  ) {
    assert(!hideSecrets(damaged).includes(damaged.slice(-15)), damaged);
  }
  assert(!hideSecrets(`behind ${KEY}.${SECRET} and before`).includes(SECRET));
  for (const text of ["", "img.jpg", "app://host:6000/a.txt", KEY, "a.b.c", `${"x".repeat(60)}.tar.gz`]) {
    assertEquals(hideSecrets(text), text);
  }
});
