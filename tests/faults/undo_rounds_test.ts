/** A push between real processes, whose server is killed (-9) at a random byte: undo makes everything as it was before. */
import { assert, assertEquals } from "../support/assert.ts";
import { runApp, ServerProcess, startApp, temporaryDirectory } from "../support/program.ts";
import { HarmfulProxy } from "../support/proxy.ts";
import { describeTree, editRandomly, makeRandomTree } from "../support/random_tree.ts";
import { playRounds, type Round, type RoundResult } from "./rounds.ts";
import { Transfer } from "./transfer.ts";

const ALL = ["--log", "off", "--allow-overwrite", "--allow-remove"];
const OPTIONS = ["--delete", "--max-delete", "1000", "-q", "--timeout", "1", "--retries", "0"];
const name = "a push that was killed can be undone";

Deno.test(name, () => playRounds({ name, rounds: 60, open, play }));

function open() {
  const directory = temporaryDirectory();
  return Promise.resolve({
    path: directory.path,
    [Symbol.asyncDispose]: () => Promise.resolve(directory[Symbol.dispose]()),
  });
}

async function play({ path }: { readonly path: string }, round: Round): Promise<RoundResult> {
  const { random } = round;
  const [here, served] = [`${path}/${round.number}/here`, `${path}/${round.number}/served`];
  makeRandomTree(random, here, 20 + random.below(80));
  makeRandomTree(random, served, 20 + random.below(80));
  editRandomly(random, served, 20);
  const before = describeTree(served);
  const offset = random.below(20_000);
  round.describe({ offset });
  const code = await pushKilled(here, served, offset);
  await using server = await ServerProcess.start(served, ALL);
  const undone = await runApp(["undo", "127.0.0.1", server.port, "-q"]);
  const hadBegun = !undone.stderr.includes("There is nothing to undo");
  assertEquals(undone.code, hadBegun ? 0 : 1, undone.stderr);
  assertEquals(describeTree(served), before);
  return { kind: hadBegun ? "undone" : "had not begun", counted: [`exit ${code}`] };
}

/** The exit code of the client. */
async function pushKilled(here: string, served: string, offset: number): Promise<number> {
  await using server = await ServerProcess.start(served, ALL);
  await using proxy = new HarmfulProxy(server.port, { direction: "to server", offset, kind: "tell", bit: 0 });
  const transfer = new Transfer(startApp(["push", "127.0.0.1", proxy.port, here, ...OPTIONS]));
  await Promise.race([proxy.harmed, transfer.outcome]);
  await server.stop("SIGKILL");
  const { code, stderr } = await transfer.outcome;
  assert([0, 4].includes(code), stderr);
  return code;
}
