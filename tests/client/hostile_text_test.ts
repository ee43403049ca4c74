/** Texts from servers that lie: what a person sees of them paints nothing and forges no lines. */
import { AppError, Client } from "../../client/mod.ts";
import { listCommand } from "../../client/commands/look.ts";
import { Report } from "../../client/report.ts";
import { ERRORS } from "../../protocol/errors.ts";
import { FakeTerminal, NEVER_INTERRUPTED } from "../cli/fake_terminal.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "../support/assert.ts";
import { answering, answeringText, type FakeServer } from "./fake_server.ts";

const NASTY = "no\u001b[2J\u009b31m\nforged line\r\u202e";

function clientOf(server: FakeServer): Client {
  return new Client(server, { retries: 0, timeoutMs: 5_000 });
}

/** What a person gets to see of `error`. */
function shown(error: AppError): string {
  const terminal = new FakeTerminal({ isInteractive: true, showsResults: true });
  new Report(terminal, { json: false, quiet: false }).error(error);
  return terminal.noted;
}

function assertHarmless(text: string): void {
  assertEquals(
    text.split("\n").length,
    3,
    `not one line for what failed and one for what to do: ${JSON.stringify(text)}`,
  );
  assert(!/[\p{Cc}\p{Cf}]/u.test(text.replaceAll("\n", "")), JSON.stringify(text));
}

Deno.test("an error's text from a server cannot paint on a terminal, nor forge lines", async () => {
  await using server = answering((session) =>
    session.send({ type: "error", code: ERRORS.not_found.number, text: NASTY, advice: NASTY })
  );
  await using client = clientOf(server);
  assertHarmless(shown(await assertRejects(() => client.stat("a"), AppError)));
});

Deno.test("a goodbye's text from a server cannot paint on a terminal, nor forge lines", async () => {
  await using server = answering((session) =>
    session.send({ type: "goodbye", code: ERRORS.shutting_down.number, text: NASTY })
  );
  await using client = clientOf(server);
  assertHarmless(shown(await assertRejects(() => client.stat("a"), AppError)));
});

Deno.test("an opening line from a server cannot paint on a terminal", async () => {
  await using server = answeringText(`APP/1 ${NASTY.replaceAll("\n", "")}\n`);
  await using client = clientOf(server);
  assertHarmless(shown(await assertRejects(() => client.stat("a"), AppError)));
});

Deno.test("an honest error's text is shown as it is", async () => {
  await using server = answering((session) =>
    session.send({ type: "error", code: ERRORS.not_found.number, text: `Cannot open "Grüße \\u{1b}.jpg"` })
  );
  await using client = clientOf(server);
  assertStringIncludes(
    shown(await assertRejects(() => client.stat("a"), AppError)),
    `Cannot open "Grüße \\u{1b}.jpg"\n`,
  );
});

Deno.test("times that no calendar has do not break a list", async () => {
  for (const mtimeMs of [0, 1_700_000_000_000, 8_640_000_000_000_001, Number.MAX_SAFE_INTEGER]) {
    await using server = answering((session) => {
      session.send({ type: "entries", entries: [{ name: "a", kind: 0, mtimeMs }] });
      session.send({ type: "done" });
    });
    for (const args of [{ json: true }, { long: true }]) {
      const terminal = new FakeTerminal();
      const common = { timeout: 5, retries: 0, quiet: false, "if-exists": "error" } as const;
      const options = { ...common, json: false, long: false, all: false, ...args };
      const words = ["127.0.0.1", String(server.port)];
      const code = await listCommand.run({ words, options, terminal, interruption: NEVER_INTERRUPTED, version: "0" });
      assertEquals([code, terminal.results.length], [0, 1]);
      assertEquals(terminal.results[0]!.includes("NaN"), false, terminal.results[0]);
    }
  }
});

Deno.test("a record with control characters is refused, since programs get records as they are; others pass", async () => {
  const answer = { capital: "Lima\nforged" };
  await using server = answering((session) => session.send({ type: "record", country: "Peru", ...answer }));
  await using client = clientOf(server);
  const error = await assertRejects(() => client.capital("Peru"), AppError);
  assertEquals([error.code, error.by], ["malformed", "peer"]);
  answer.capital = "Límá D.C.";
  assertEquals(await client.capital("Peru"), answer.capital);
});
