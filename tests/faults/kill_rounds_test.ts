/**
 * kill -9 of the server or the client, at a byte that a proxy saw pass or at a progress event: nothing half is visible,
 * and after a restart the same command completes the file, with the blocks that were stored.
 */
import { assert } from "../support/assert.ts";
import { type Harm, HarmfulProxy } from "../support/proxy.ts";
import { playRounds, type Round, type RoundResult } from "./rounds.ts";
import { Stage } from "./stage.ts";

/** Where the end of the data is among the bytes of its direction, and `stored` and the goodbye among the others. */
const END_BYTES = 100;
const ANSWER_BYTES = 32;
/** What a process that was killed ends with. */
const KILLED = 128 + 9;

/** When to kill: a byte that passed, the begin of the flush that the client tells of, or the file becoming visible. */
type Moment =
  | { readonly at: "data" | "end of data" | "answer"; readonly offset: number }
  | { readonly at: "flushing" | "publishing" };

for (const victim of ["server", "client"] as const) {
  for (const way of ["get", "put"] as const) {
    const name = `a ${way} goes on after kill -9 of the ${victim}`;
    const play = (stage: Stage, round: Round) => playKill(stage, round, victim);
    Deno.test(name, () => playRounds({ name, rounds: 50, open: () => Stage.open(way), play }));
  }
}

async function playKill(stage: Stage, round: Round, victim: "server" | "client"): Promise<RoundResult> {
  const moment = drawMoment(stage, round);
  round.describe({ victim, moment });
  stage.clear();
  const code = await runKilled(stage, moment, victim);
  const isThere = stage.hasFile();
  if (code === 0) assert(isThere, "it said that it was done");
  if (victim === "client") assert(code === 0 || code === KILLED, `exit code ${code}`);
  else {
    assert([0, 1, 4].includes(code), `exit code ${code}`);
    if (stage.way === "get") assert(code === 0 || !isThere, "it is there, and the client did not say so");
    await stage.startServer();
  }
  const completion = await stage.complete();
  return { kind: moment.at, counted: [code === KILLED ? "killed" : `exit ${code}`, `then ${completion}`] };
}

/** The exit code of a transfer whose victim is killed at that moment. */
async function runKilled(stage: Stage, moment: Moment, victim: "server" | "client"): Promise<number> {
  using target = stage.watchTarget();
  await using proxy = new HarmfulProxy(stage.server.port, tellAt(stage, moment));
  const transfer = stage.start(proxy.port, ["--retries", "0"]);
  const come = { flushing: transfer.flushing, publishing: target.shown };
  await Promise.race(["offset" in moment ? proxy.harmed : come[moment.at], transfer.outcome]);
  if (victim === "server") await stage.server.stop("SIGKILL");
  else transfer.kill();
  return (await transfer.outcome).code;
}

function tellAt({ dataDirection, answerDirection }: Stage, moment: Moment): Harm | undefined {
  if (!("offset" in moment)) return;
  return { kind: "tell", direction: moment.at === "answer" ? answerDirection : dataDirection, offset: moment.offset };
}

/** Most kills come in the midst of the data; some around the end, when the file is flushed, published and told of. */
function drawMoment({ travel, dataDirection, answerDirection }: Stage, { random }: Round): Moment {
  const place = random.below(20);
  const lastOf = (length: number, count: number) => length - 1 - random.below(Math.min(length, count));
  if (place < 10) return { at: "data", offset: random.below(travel[dataDirection]) };
  if (place < 12) return { at: "end of data", offset: lastOf(travel[dataDirection], END_BYTES) };
  if (place < 15) return { at: "answer", offset: lastOf(travel[answerDirection], ANSWER_BYTES) };
  return { at: place < 18 ? "flushing" : "publishing" };
}
