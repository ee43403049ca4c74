/** What the operating system says, as one of our codes. Messages name what the request named, never a path. */
import { AppError, type ErrorName, toAppError } from "../errors.ts";
import { quoteName } from "../escape.ts";

const BY_CODE: Readonly<Record<string, ErrorName>> = {
  ENOENT: "not_found",
  EEXIST: "exists",
  EACCES: "denied",
  EPERM: "denied",
  EROFS: "denied",
  ENOTDIR: "not_a_directory",
  EISDIR: "is_directory",
  ENOTEMPTY: "not_empty",
  ENAMETOOLONG: "bad_name",
  EINVAL: "bad_name",
  ELOOP: "outside",
  ENOSPC: "no_space",
  EDQUOT: "no_space",
  EFBIG: "too_large",
};

/**
 * The numbers of those that Deno has no name for; it tells them in its text only. On Windows they have other meanings,
 * and Deno has the names.
 */
const UNNAMED: Readonly<Record<string, string>> = Deno.build.os === "windows"
  ? {}
  : { 27: "EFBIG", [Deno.build.os === "darwin" ? 69 : 122]: "EDQUOT" };

const REASON: Partial<Record<ErrorName, string>> = {
  not_found: "there is nothing under that name",
  exists: "the name is taken",
  denied: "the operating system does not allow it",
  not_a_directory: "part of the name is a file, not a directory",
  is_directory: "it is a directory",
  not_empty: "the directory is not empty",
  bad_name: "the file system does not take that name",
  outside: "its links go round in circles",
  no_space: "No space left on the device",
  too_large: "it is larger than the file system takes",
};

/** Reasons that have no code of ours. */
const REASON_OF_SYSTEM: Readonly<Record<string, string>> = {
  EMFILE: "too many files and connections are open",
  ENFILE: "too many files and connections are open on this machine",
};

/** What to do on this machine; a peer that is told of the error says what to do on its own. */
const LOCAL_ADVICE: Partial<Record<ErrorName, string>> = {
  not_found: "Check the spelling, and in which directory you are",
  is_directory: "Name a file",
  not_a_directory: "Name a directory",
  bad_name: "Choose another name",
  no_space: "Free some space on this machine, then run the same command again",
  too_large: "Store it on another file system",
  denied: "Check the owner and the permissions of it, and of the directory that it is in",
};

/** The code that an error of the runtime stands for; `failed` for one that has none of ours. */
export function errorNameOfSystem(error: unknown): ErrorName {
  if (error instanceof Deno.errors.NotFound) return "not_found";
  if (error instanceof Deno.errors.AlreadyExists) return "exists";
  if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable) return "denied";
  const code = systemCode(error);
  return (code && BY_CODE[code]) || "failed";
}

/** Such as `ENOSPC` or `os error 116`; `undefined` for an error that does not come from the operating system. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as { code?: unknown };
  if (typeof code === "string") return code;
  const number = /\(os error (\d+)\)/.exec(error.message)?.[1];
  return number && (UNNAMED[number] ?? `os error ${number}`);
}

function reasonOfSystem(error: unknown): string {
  const code = systemCode(error);
  if (code) return REASON_OF_SYSTEM[code] ?? code;
  return error instanceof Error ? error.name : "unknown error";
}

/** Whether the operating system said so; anything else is a defect of ours, and must not look like a full disk. */
function isSystemError(error: unknown): boolean {
  return systemCode(error) !== undefined || errorNameOfSystem(error) !== "failed";
}

/** Runs `call`; what the operating system throws becomes `Cannot DOING "NAME": reason`. */
export function translating<T>(doing: string, name: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw translated(doing, name, error);
  }
}

/** The error of ours for `error`; one of ours stays as it is. */
export function translated(doing: string, name: string, error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (!isSystemError(error)) return toAppError(error, `Cannot ${doing} ${quoteName(name || "/")}`);
  const code = errorNameOfSystem(error);
  const reason = REASON[code] ?? reasonOfSystem(error);
  const advice = LOCAL_ADVICE[code];
  return new AppError(code, `Cannot ${doing} ${quoteName(name || "/")}: ${reason}`, {
    cause: error,
    ...(advice ? { advice } : {}),
  });
}
