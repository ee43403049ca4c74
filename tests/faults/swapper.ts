/**
 * Exchanges what stands under PATH for something else and back, as fast as it can, until its stdin ends. To be run as a
 * process, beside one that uses the path: `swapper.ts PATH ASIDE link|pipe|file TARGET`.
 *
 * While it is exchanged, what was there lies under ASIDE, and PATH is a link to TARGET, or another name of the pipe or
 * file TARGET. Whoever uses the path may have made something there meanwhile: that is taken away.
 */
const [path, aside, kind, target] = Deno.args as [string, string, string, string];

/** Whether it went well: somebody else changes the same names. */
function did(change: () => void): boolean {
  try {
    change();
    return true;
  } catch {
    return false;
  }
}

function swap(): boolean {
  did(() => Deno.renameSync(path, aside));
  const isIn = did(() => kind === "link" ? Deno.symlinkSync(target, path) : Deno.linkSync(target, path));
  for (let spin = Math.random() * 20_000; spin > 0; spin--);
  did(() => Deno.removeSync(path)) || did(() => Deno.removeSync(path, { recursive: true }));
  did(() => Deno.renameSync(aside, path));
  for (let spin = Math.random() * 20_000; spin > 0; spin--);
  return isIn;
}

let swaps = 0;
let hasEnded = false;
const end = Deno.stdin.read(new Uint8Array(1)).then(() => hasEnded = true);
while (!hasEnded) {
  for (let round = 0; round < 100; round++) swaps += swap() ? 1 : 0;
  if (swaps > 0 && swaps <= 100) console.log("swapping");
  await new Promise((resolve) => setTimeout(resolve, 0));
}
await end;
console.log(swaps);
