/** What others do to a name while it is got: on the server, and in the directory that it is got into. */
import { type Client, type ErrorName, putFile } from "../../client/mod.ts";
import { BLOCK_BYTES } from "../../protocol/limits.ts";
import { fingerprint } from "../files/temporary_tree.ts";
import { assertEquals, assertRejectsCode, assertStringIncludes } from "../support/assert.ts";
import { names, visible } from "../support/names_in.ts";
import { runApp, startApp, temporaryDirectory } from "../support/program.ts";
import { Random } from "../support/random.ts";
import { HeldTransfer, LARGE_BYTES } from "./held.ts";

const FIRST = new Random(61).bytes(LARGE_BYTES);
const SECOND = new Random(62).bytes(3 * BLOCK_BYTES + 5);

/** What another client does to the name that is being got, and what is to be got under it afterwards. */
const DURING_A_GET: readonly [string, (client: Client) => Promise<unknown>, Uint8Array | ErrorName][] = [
  ["replaces", replace, SECOND],
  ["removes", (client) => client.remove("file"), "not_found"],
  ["moves", (client) => client.move("file", "dir/moved"), "not_found"],
];

async function replace(client: Client): Promise<void> {
  using here = temporaryDirectory();
  Deno.writeFileSync(`${here.path}/second`, SECOND);
  await putFile(client, `${here.path}/second`, "file", { ifExists: "replace" });
}

for (const [verb, act, after] of DURING_A_GET) {
  Deno.test(`a get of a file that another client ${verb} meanwhile brings it whole as it was`, async () => {
    await using transfer = new HeldTransfer("get");
    Deno.writeFileSync(`${transfer.from}/file`, FIRST);
    const first = transfer.run(transfer.client("proxy"));
    await transfer.proxy.harmed;
    const other = transfer.client("server");
    await act(other);
    transfer.proxy.release();
    await first;
    assertEquals(fingerprint(Deno.readFileSync(`${transfer.to}/file`)), fingerprint(FIRST));
    assertEquals(names(transfer.to), ["file"]);
    const next = transfer.run(other, { ifExists: "replace" });
    if (typeof after === "string") await assertRejectsCode(() => next, after);
    else await next;
    const expected = typeof after === "string" ? FIRST : after;
    assertEquals(fingerprint(Deno.readFileSync(`${transfer.to}/file`)), fingerprint(expected));
  });
}

/** The last event that `app --json` wrote, up to the first of that kind or to its end: the kind, and what came of it. */
async function lastEvent(reader: ReadableStreamDefaultReader<string>, kind = ""): Promise<string> {
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    text += value ?? "";
    const events = text.split("\n").slice(0, -1).map((line) => JSON.parse(line));
    const { event, code = "", storedAs = "" } = events.at(-1) ?? {};
    if (done || event === kind) return `${event} ${code}${storedAs}`;
  }
}

for (
  const [ifExists, end, code, result] of [
    ["error", "error exists", 1, ["file"]],
    ["skip", "skipped ", 0, ["file"]],
    ["replace", "done file", 0, ["file"]],
    ["rename", "done file (2)", 0, ["file", "file (2)"]],
  ] as const
) {
  Deno.test(`of two app get of one name into one directory, --if-exists ${ifExists}, the second waits for the first, and ends with: ${end.trim()}`, async () => {
    await using transfer = new HeldTransfer("get", { offset: 12 * BLOCK_BYTES });
    Deno.writeFileSync(`${transfer.from}/file`, FIRST);
    const args = (
      port: string | number,
      ...more: string[]
    ) => ["get", "127.0.0.1", String(port), "file", "--if-exists", ifExists, ...more];
    const first = startApp(args(transfer.proxy.port), { cwd: transfer.to });
    await Promise.all([transfer.proxy.harmed, first.stdin.close()]);
    const refused = await runApp(args(transfer.served.port, "--retries", "0"), { cwd: transfer.to });
    assertStringIncludes(refused.stderr, "somebody else is writing it now");
    assertEquals([refused.code, visible(transfer.to)], [1, []]);

    const second = startApp(args(transfer.served.port, "--json"), { cwd: transfer.to });
    const events = second.stdout.pipeThrough(new TextDecoderStream()).getReader();
    await second.stdin.close();
    assertEquals(await lastEvent(events, "retry"), "retry busy");
    transfer.proxy.release();
    assertEquals(await lastEvent(events), end);
    const [firstEnd, secondEnd] = await Promise.all([first.output(), second.status, second.stderr.cancel()]);
    assertEquals([firstEnd.code, secondEnd.code], [0, code]);
    assertEquals(names(transfer.to), [...result]);
    for (const name of result) {
      assertEquals(fingerprint(Deno.readFileSync(`${transfer.to}/${name}`)), fingerprint(FIRST));
    }
  });
}
