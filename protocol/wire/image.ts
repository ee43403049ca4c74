/**
 * The format `image`: a bare file name, and `file-exists` with the file behind it, or `file-doesn't-exist`.
 */

/** Whether `bytes` could be a file name. */
export function isImageRequest(bytes: Uint8Array): boolean {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes).trim() !== "";
  } catch {
    return false; // no text
  }
}
