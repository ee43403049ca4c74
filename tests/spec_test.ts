/** The specification says what the code does: its tables are compared with the declarations. */
import { MESSAGES } from "../protocol/wire/messages/mod.ts";
import * as limits from "../protocol/limits.ts";
import { parseKey } from "../protocol/tls/key.ts";
import { assert, assertEquals, assertStringIncludes } from "./support/assert.ts";
import { errorRows, formatFields, messageRows, orderRows } from "./support/spec_tables.ts";

const SPECIFICATION = Deno.readTextFileSync(new URL("../protocol/README.md", import.meta.url));

/** The rows of the table whose header begins with `header`, without the padding that the formatter adds. */
function tableUnder(header: string): string[] {
  const lines = SPECIFICATION.split("\n").map((line) => line.replace(/ +/g, " "));
  const start = lines.findIndex((line) => line.startsWith(header));
  assert(start >= 0, `no table ${header}`);
  const end = lines.findIndex((line, index) => index > start && !line.startsWith("|"));
  return lines.slice(start + 2, end);
}

Deno.test("specification lists every message with its fields", () => {
  assertEquals(tableUnder("| type | message"), messageRows());
});

Deno.test("specification lists every error that travels", () => {
  assertEquals(tableUnder("| number | name"), errorRows());
});

Deno.test("specification has the whole order of a transfer", () => {
  assertEquals(tableUnder("| state | who"), orderRows());
});

Deno.test("specification describes the record inside of entries", () => {
  const { fields } = MESSAGES.entries.fields.entries.value;
  assertStringIncludes(SPECIFICATION.replace(/\s+/g, " "), formatFields(fields!));
});

Deno.test("specification names the limits", () => {
  for (
    const name of [
      "BODY_BYTES_MAX",
      "BODY_BYTES_MIN",
      "OPENING_BYTES_MAX",
      "BLOCK_BYTES",
      "BLOCK_DIGEST_BYTES",
      "CLIENT_HELLO_BYTES_MAX",
    ] as const
  ) {
    assertStringIncludes(SPECIFICATION, limits[name].toLocaleString("en-US"), name);
  }
});

Deno.test("specification has the test vector of TLS, and says where the key stands in a certificate", () => {
  const vector = JSON.parse(Deno.readTextFileSync(new URL("../fixtures/tls/vector.json", import.meta.url)));
  assertStringIncludes(SPECIFICATION, vector.key);
  assertStringIncludes(SPECIFICATION, vector.fingerprint);
  assertStringIncludes(SPECIFICATION.replace(/\n/g, ""), vector.anchor);
  const key = Array.from(parseKey(vector.key), (byte) => byte.toString(16).padStart(2, "0")).join("");
  assertStringIncludes(SPECIFICATION, `from offset ${vector.anchor.indexOf(key) / 2} on`);
  assertStringIncludes(SPECIFICATION, `of ${vector.anchor.length / 2} bytes of DER`);
});
