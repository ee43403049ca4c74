/** What commands with several names share: each is tried, each failure is told, and the exit code remembers the first. */
import { type AppError, toAppError } from "../../protocol/errors.ts";
import type { Report } from "../report.ts";

/**
 * Runs `work` for each of `names`, and resolves to the exit code. A name that is refused does not keep the others from
 * being tried; a server that is gone, or a person who interrupts, does.
 */
export async function forEachName(
  names: readonly string[],
  report: Report,
  work: (name: string) => Promise<void>,
): Promise<number> {
  let exit = 0;
  for (const name of names) {
    try {
      await work(name);
    } catch (cause) {
      const error = asAppError(cause);
      report.error(error, { name });
      exit ||= error.exit;
      if (error.exit !== 1) break;
    }
  }
  return exit;
}

/** Errors of our own are told; anything else is a defect or a closed pipe, which `main.ts` deals with. */
function asAppError(cause: unknown): AppError {
  const error = toAppError(cause, "");
  if (error !== cause) throw cause;
  return error;
}
