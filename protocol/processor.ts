/** What the processor of this machine is good at. */

/** As much as the first processor's lines can have. */
const FACTS_BYTES = 8_192;

let known: boolean | undefined;

/**
 * Whether there are instructions for SHA-256: then it is about three times as fast as BLAKE2b, and otherwise half as
 * fast. `false` where the system does not tell.
 */
export function hasSha256Instructions(): boolean {
  return known ??= Deno.build.os === "linux" ? tellsOfSha256(readFacts()) : isApple();
}

/** For what has to be the same on every processor, such as a recording: as if it were so; `undefined`: as it is. */
export function assumeSha256Instructions(has: boolean | undefined): void {
  known = has;
}

/** By the flags of an x86 (`sha_ni`) or the features of an arm64 (`sha2`). */
export function tellsOfSha256(facts: string): boolean {
  return /^(flags|Features)\s*:.*\b(sha_ni|sha2)\b/m.test(facts);
}

function isApple(): boolean {
  return Deno.build.os === "darwin" && Deno.build.arch === "aarch64";
}

function readFacts(): string {
  try {
    using file = Deno.openSync("/proc/cpuinfo");
    const bytes = new Uint8Array(FACTS_BYTES);
    return new TextDecoder().decode(bytes.subarray(0, file.readSync(bytes) ?? 0));
  } catch {
    return ""; // not for us to read
  }
}
