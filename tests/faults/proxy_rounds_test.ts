/**
 * A connection that is cut, stalls or loses a bit, at any byte of it, between two real processes: it ends in the whole
 * file, or in exit code 4 or 1 and nothing visible; and the next run completes it.
 */
import { assert, assertEquals } from "../support/assert.ts";
import { type Harm, HarmfulProxy } from "../support/proxy.ts";
import { soon } from "../server/served.ts";
import { HANDSHAKE_BYTES } from "./known_server.ts";
import { playRounds, type Round, type RoundResult } from "./rounds.ts";
import { Stage } from "./stage.ts";

const KINDS = ["cut", "stall", "flip"] as const;
/** The opening line, `hello`, the request and its answer fit into so much. */
const WORDS_BYTES = 300;
/** Rounds that may try again by themselves, of ten. */
const RETRYING = 2;

for (const way of ["get", "put"] as const) {
  const name = `a ${way} over a connection that is cut, stalls or loses a bit ends whole or not at all`;
  Deno.test(name, () => playRounds({ name, rounds: 100, open: () => Stage.open(way), play }));
  const nameCompressed =
    `a ${way} that is compressed, over a connection that is cut, stalls or loses a bit, ends whole or not at all`;
  Deno.test(
    nameCompressed,
    () => playRounds({ name: nameCompressed, rounds: 60, open: () => Stage.open(way, "compressed"), play }),
  );
  const nameInside =
    `a ${way} inside TLS over a connection that is cut, stalls or loses a bit ends whole or not at all`;
  Deno.test(nameInside, () => playRounds({ name: nameInside, rounds: 60, open: () => Stage.open(way, "tls"), play }));
}

async function play(stage: Stage, round: Round): Promise<RoundResult> {
  const harm = drawHarm(stage, round);
  const retries = round.random.below(10) < RETRYING ? [] : ["--retries", "0"];
  round.describe({ harm, retries });
  stage.clear();
  const code = await runHarmed(stage, harm, retries);
  if (code === 0) {
    assert(stage.hasFile(), "it said that it was done");
    stage.assertNoLeftovers();
    return { kind: harm.kind, counted: ["exit 0"] };
  }
  const wasOther = stage.wrapping === "tls" && harm.kind === "flip" && harm.offset < HANDSHAKE_BYTES;
  assert(code === 4 || code === 1 || (code === 3 && wasOther), `exit code ${code}`);
  const completion = await completeAfter(stage, harm);
  return { kind: harm.kind, counted: [`exit ${code}`, `then ${completion}`] };
}

/** The exit code of a transfer through the proxy. */
async function runHarmed(stage: Stage, harm: Harm, retries: readonly string[]): Promise<number> {
  await using proxy = new HarmfulProxy(stage.server.port, harm);
  const { code } = await stage.start(proxy.port, ["--timeout", "1", ...retries]).outcome;
  await soon(proxy.harmed, "the byte at which the harm is to be done");
  return code;
}

async function completeAfter(stage: Stage, harm: Harm): Promise<string> {
  const mayBeStored = stage.way === "put" && isAfterData(stage, harm);
  if (!mayBeStored) assertEquals(stage.hasFile(), false, "something is visible");
  const completion = await stage.complete();
  // Only the word that it is stored can be lost, behind the whole file.
  if (!mayBeStored) assert(completion !== "was there", "it was stored, and nobody was told");
  return completion;
}

function isAfterData(stage: Stage, { direction, offset }: Harm): boolean {
  return direction === stage.answerDirection || offset >= stage.travel[direction] - WORDS_BYTES;
}

/** Most harm is done in the midst of the data; some to the words before and behind it, and some to the answers. */
function drawHarm({ travel, dataDirection, answerDirection }: Stage, { number, random }: Round): Harm {
  const kind = KINDS[number % KINDS.length]!;
  const place = random.below(20);
  const direction = place < 16 ? dataDirection : answerDirection;
  const length = travel[direction];
  const offset = place < 11 || direction === answerDirection
    ? random.below(length)
    : place < 13
    ? random.below(WORDS_BYTES)
    : length - 1 - random.below(Math.min(length, WORDS_BYTES));
  return { direction, offset, kind, bit: random.below(8) };
}
