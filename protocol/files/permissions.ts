/** Permission bits of what is stored: those of the source, or those that new files get. Never setuid and its like. */
import type { StoredFacts } from "./tree.ts";

const HAS_MODES = Deno.build.os !== "windows";

export type Permissions = Pick<StoredFacts, "permissions" | "isExecutable">;

let umask: number | undefined;

/** The bits that a file is to have; `undefined` for those that any new file gets. */
export function modeOf({ permissions, isExecutable }: Permissions): number | undefined {
  if (!HAS_MODES) return undefined;
  if (permissions !== undefined) return permissions & 0o777;
  if (isExecutable) return 0o777 & ~mask();
}

function mask(): number {
  return umask ??= HAS_MODES ? Deno.umask() : 0;
}

/** The same, where it is not what a new file gets anyway: to set them takes a call. */
export function modeBeside({ permissions, isExecutable }: Permissions): number | undefined {
  const mode = modeOf({ permissions, isExecutable });
  return mode === (0o666 & ~mask()) ? undefined : mode;
}
