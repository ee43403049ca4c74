/** How a refusal looks from outside: an exit code, two lines on stderr, nothing on stdout; and tables of them. */
import { assertEquals, assertNotMatch, assertStringIncludes } from "../../support/assert.ts";
import { type Outcome, runApp, type RunOptions } from "../../support/program.ts";

/** A command line, and what it comes to. */
export interface Refusal {
  readonly args: readonly string[];
  readonly code: number;
  /** A part of the first line: what was wrong, with the value. */
  readonly says: string;
  /** A part of the second line: what to do next. */
  readonly next: string;
}

/** Processes at once: more than one, since most of the time of each is its start. */
const AT_ONCE = 3;

/** What ought to be refused and is not may go on for ever: a server that starts, a pipe that is waited for. */
const PATIENCE_MS = 30_000;

const DEFECT = /defect of app|^\s+at .*:\d+|Uncaught|panicked/im;

/** Runs every command line, and checks that each is refused as its row says. */
export async function assertRefusals(refusals: readonly Refusal[], options: RunOptions = {}): Promise<void> {
  await inTurns(
    refusals,
    async (refusal) => assertRefused(await runApp(refusal.args, { patienceMs: PATIENCE_MS, ...options }), refusal),
  );
}

/** That `outcome` is the refusal: its exit code, exactly two lines that help, and no trace of a defect. */
export function assertRefused({ code, stdout, stderr }: Outcome, { args, code: wanted, says, next }: Refusal): void {
  const told = `app ${args.join(" ")}\n${stderr}`;
  assertNoDefect(told);
  assertEquals(code, wanted, told);
  const lines = stderr.split("\n");
  assertEquals(lines.length, 3, `not two lines: ${told}`);
  assertEquals(lines[2], "", told);
  assertStringIncludes(lines[0]!, says, told);
  assertStringIncludes(lines[1]!, next, told);
  assertEquals(stdout, "", told);
}

/** That what a process said (its stderr, or a server's log) tells of no defect of ours, and shows no stack. */
export function assertNoDefect(text: string): void {
  assertNotMatch(text, DEFECT);
}

/** Runs every command line, and checks that each succeeds. */
export async function assertTaken(lines: readonly (readonly string[])[], options: RunOptions = {}): Promise<void> {
  await inTurns(lines, async (args) => {
    const { code, stderr } = await runApp(args, options);
    assertEquals(code, 0, `app ${args.join(" ")}\n${stderr}`);
  });
}

/** Does `work` with each of `items`, a few at a time. */
export async function inTurns<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const worker = async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  const ends = await Promise.allSettled(Array.from({ length: AT_ONCE }, worker));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}

/** Whether there are pipes, sockets and links here; says so once if not. */
export function canMakeSpecialFiles(): boolean {
  const can = Deno.build.os !== "windows";
  if (!can) console.log("skipped: there are no pipes and sockets among files here");
  return can;
}
