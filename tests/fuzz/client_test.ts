/**
 * The client with servers that say harmed recordings, in any pieces, and then end, cut off or fall silent. It comes to
 * a result or a declared error within its time limits, and never gives a real name to what was not sent as that file.
 */
import { AppError } from "../../client/mod.ts";
import { soon } from "../server/served.ts";
import { startFakeServer } from "../client/fake_server.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { visible } from "../support/names_in.ts";
import { temporaryDirectory } from "../support/program.ts";
import { randomChunks } from "../wire/decoding.ts";
import { type Bytes, mutateUnits } from "./mutations.ts";
import { assertReached, playRounds, type Round } from "./rounds.ts";
import { Said } from "./said.ts";
import { GOTTEN, SESSIONS } from "./sessions.ts";
import { readSession, sessionNames, type Unit } from "./transcripts.ts";

const ROUNDS = 1_500;
const LANES = 24;
/** The client's patience with a silent server, and what it may take on a machine that is busy until it has ended. */
const TIMEOUT_MS = 400;
const END_MS = 30_000;
/** How long what was recorded of the client is waited for, before the server goes on without it. */
const REQUEST_MS = 30;

const sessions = sessionNames().map((name) => {
  const units = readSession(name);
  return { name, units, said: units.filter(({ side }) => side === "server").map(({ bytes }) => bytes) };
});
const others = sessions.map(({ said }) => said);

Deno.test("every recorded session is recorded again with the same words", async () => {
  const { record } = await import("./record.ts");
  assertEquals(sessions.map(({ name }) => name), Object.keys(SESSIONS).sort());
  for (const { name, units } of sessions) {
    const again = await record(name, SESSIONS[name]!);
    for (const side of ["client", "server"] as const) {
      assertEquals(
        wordsOf(again, side),
        wordsOf(units, side),
        `${name}, ${side}: deno task record, after a look at it`,
      );
    }
  }
});

/** What one side said, all in one; without the goodbye of the server, which a client need not wait for. */
function wordsOf(units: readonly Unit[], side: string): string {
  return units.filter((unit) => unit.side === side).map(({ bytes }) => bytes.toHex()).join("")
    .replace(side === "server" ? /00000004a1039fa167$/ : "", "");
}

Deno.test("a client comes to a result or a declared error, whatever a server says, and stores nothing else", async () => {
  const outcomes = await playRounds({ name: "client", rounds: ROUNDS, lanes: LANES, play });
  assertReached(outcomes, [
    "done",
    "malformed",
    "damaged",
    "order",
    "lost",
    "idle",
    "not_app",
    "mismatch",
    "unsupported",
  ]);
});

async function play({ random, describe }: Round): Promise<string> {
  const { name, units, said } = random.pick(sessions);
  const harmed = random.below(10) === 0 ? [...said] : mutateUnits(said, others, random);
  const way = random.pick(["end", "end", "drop", "silence"]);
  const pieces = random.pick([Infinity, Infinity, 200, 20]);
  const told = harmed.map((unit) => unit.length > 500 ? `${unit.length} bytes` : unit.toHex());
  describe(`${name}, ${way}: ${told.join(" ")}`);
  const chunksOf = (unit: Bytes) => pieces === Infinity ? [unit] : randomChunks(unit, random, pieces);
  await using server = startFakeServer(async (conn) => {
    const heard = hear(conn);
    for (const [index, unit] of harmed.entries()) {
      await heard.until(requestBefore(units, index));
      for (const chunk of chunksOf(unit)) {
        for (let at = 0; at < chunk.length;) at += await conn.write(chunk.subarray(at));
      }
    }
    if (way === "end") await conn.closeWrite();
    if (way !== "drop") await heard.ended;
  });
  using here = temporaryDirectory();
  const outcome = await soon(
    outcomeOf(name, { target: server, here: here.path, timeoutMs: TIMEOUT_MS }),
    "the end of the client",
    END_MS,
  );
  assertOnlyWhatWasSent(name, here.path, harmed, outcome);
  return outcome;
}

async function outcomeOf(name: string, place: Parameters<typeof SESSIONS[string]>[0]): Promise<string> {
  try {
    await SESSIONS[name]!(place);
    return "done";
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    assert(error.code !== "internal" || error.by === "peer", `${error.message}: ${error.cause}`);
    return error.code;
  }
}

/** How much the client had said when the server said its unit `index`, as it was recorded. */
function requestBefore(units: readonly Unit[], index: number): number {
  let requested = 0;
  let seen = 0;
  for (const { side, bytes } of units) {
    if (side === "server" && seen++ === index) return requested;
    if (side === "client") requested += bytes.length;
  }
  return requested;
}

function assertOnlyWhatWasSent(name: string, here: string, harmed: readonly Bytes[], outcome: string): void {
  const wanted = GOTTEN[name];
  const files = visible(here).filter((file) => file !== "source" && file !== "countries.csv");
  assertEquals(files.filter((file) => file !== wanted), []);
  if (!wanted) return;
  if (outcome === "done" && name !== "image_missing") assertEquals(files, [wanted]);
  if (files.length === 0) return;
  const said = new Said();
  said.add(harmed);
  const bytes = Deno.readFileSync(`${here}/${wanted}`);
  assert(said.has(bytes), `${wanted} holds ${bytes.length} bytes that were not sent`);
}

/** Reads all that a client says, and tells when it is enough. */
function hear(conn: Deno.TcpConn): { ended: Promise<void>; until(count: number): Promise<void> } {
  let heard = 0;
  let grown = Promise.withResolvers<void>();
  let isOver = false;
  const ended = (async () => {
    const buffer = new Uint8Array(65_536);
    try {
      for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer)) {
        heard += count;
        grown.resolve();
        grown = Promise.withResolvers();
      }
    } catch {
      // It has gone.
    }
    isOver = true;
    grown.resolve();
  })();
  return {
    ended,
    async until(count) {
      const deadline = performance.now() + REQUEST_MS;
      while (heard < count && !isOver && performance.now() < deadline) {
        const late = Promise.withResolvers<void>();
        const timer = setTimeout(() => late.resolve(), REQUEST_MS);
        await Promise.race([grown.promise, late.promise]);
        clearTimeout(timer);
      }
    },
  };
}
