/**
 * The format `image`: a bare file name, and `file-exists` with the file behind it, or `file-doesn't-exist`.
 */
import { AppError } from "../errors.ts";
import { OPENING_BYTES_MAX } from "../limits.ts";

export const IMAGE_EXISTS = "file-exists";
export const IMAGE_MISSING = "file-doesn't-exist";

/** Whether `bytes` could be a file name. */
export function isImageRequest(bytes: Uint8Array): boolean {
  return (parseImageRequest(bytes) ?? "").trim() !== "";
}

/** The name that is asked for; `undefined` if it is no text. */
export function parseImageRequest(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Throws `bad_name` for a name that no server of this format reads whole. */
export function encodeImageRequest(name: string): Uint8Array {
  const bytes = new TextEncoder().encode(name);
  if (bytes.length < OPENING_BYTES_MAX) return bytes;
  throw new AppError("bad_name", `Cannot ask for ${JSON.stringify(name)}: it has ${bytes.length} bytes`, {
    advice: `The format image takes names of less than ${OPENING_BYTES_MAX} bytes`,
  });
}
