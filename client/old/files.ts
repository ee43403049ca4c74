/**
 * Files from and to servers of the formats `share` and `image`: one name, one answer, bytes up to the end.
 *
 * No length comes along, so a file that ended too early in a clean way is taken for whole; everything else that ends it
 * leaves nothing behind.
 */
import { AppError } from "../../protocol/errors.ts";
import { quoteName } from "../../protocol/escape.ts";
import { crc32For } from "../../protocol/exchange/checksum.ts";
import type { QuietReader } from "../../protocol/exchange/quiet_reader.ts";
import { type OnPiece, readCode, receiveUnframed, sendUnframed, untilEnd } from "../../protocol/exchange/unframed.ts";
import type { TransferProgress, TransferResult } from "../../protocol/exchange/transfer.ts";
import { openLocalFile } from "../../protocol/files/local_file.ts";
import { validateName } from "../../protocol/names.ts";
import { encodeImageRequest, IMAGE_EXISTS, IMAGE_MISSING } from "../../protocol/wire/image.ts";
import { encodeShareRequest, SHARE_CANCEL, SHARE_PASS } from "../../protocol/wire/share.ts";
import type { Destination } from "../get.ts";
import type { PipeSource } from "../pipe.ts";
import { notOfFormat, type OldServer } from "./old_server.ts";

export type OldFileFormat = "share" | "image";

type OnProgress = (progress: TransferProgress) => void;

/** The request for a file. Throws `bad_name` for a name that the format has no room for. */
export function encodeGet(format: OldFileFormat, name: string): Uint8Array {
  validateName(name);
  return format === "share" ? encodeShareRequest({ command: "get", name }) : encodeImageRequest(name);
}

const ANSWERS = { share: [SHARE_PASS, SHARE_CANCEL], image: [IMAGE_EXISTS, IMAGE_MISSING] } as const;

/** Gets the file `name`; what it came to, with the local name. Starts anew when the connection is lost. */
export async function getOldFile(
  server: OldServer,
  format: OldFileFormat,
  name: string,
  destination: Destination,
  onProgress: OnProgress = () => {},
): Promise<TransferResult> {
  return await server.ask(encodeGet(format, name), async (reader) => {
    const [yes, no] = ANSWERS[format];
    const code = await readCode(reader, [yes, no]);
    if (code === undefined) throw notOfFormat(reader, format);
    if (code === no) throw notThere(name, no);
    const tally = await countPieces(undefined, onProgress);
    const draft = await destination.create({});
    const stored = await receiveUnframed(reader, draft, { onPiece: tally.onPiece, onEnd: tally.flushing });
    return { ...tally.result(stored.name) };
  });
}

/**
 * Puts the local file at `path`, or what comes through a pipe, under `name`. Never tried again: what broke off may be
 * stored all the same, and only its owner can look.
 */
export async function putOldFile(
  server: OldServer,
  from: string | PipeSource,
  name: string,
  onProgress: OnProgress = () => {},
): Promise<TransferResult> {
  validateName(name);
  const request = encodeShareRequest({ command: "put", name });
  using source = typeof from === "string" ? openLocalFile(from) : from;
  const sizeBytes = "entry" in source ? source.entry.sizeBytes : undefined;
  return await server.askOnce(request, async (reader) => {
    await waitForPass(reader, name);
    const tally = await countPieces(sizeBytes, onProgress);
    try {
      const sent = await sendUnframed(reader, source, { sizeBytes: sizeBytes ?? Infinity, onPiece: tally.onPiece });
      if (sent < (sizeBytes ?? 0)) throw new AppError("source_changed", "It became shorter while it was read");
      tally.flushing();
      await untilEnd(reader); // it closes when it has stored all, and a reset says that it has not
    } catch (error) {
      throw maybeStored(name, error);
    }
    return tally.result(name);
  });
}

async function waitForPass(reader: QuietReader, name: string): Promise<void> {
  const code = await readCode(reader, ANSWERS.share);
  if (code === undefined) throw notOfFormat(reader, "share");
  if (code === SHARE_PASS) return;
  throw new AppError("exists", `Cannot put ${quoteName(name)}: the server answered "${SHARE_CANCEL}"`, {
    by: "peer",
    advice: "The name is taken there, or it takes no such name: choose another with --as",
  });
}

function notThere(name: string, answer: string): AppError {
  return new AppError("not_found", `Cannot get ${quoteName(name)}: the server answered "${answer}"`, {
    by: "peer",
    advice: "It is not there, is no file, or may not be had: check the name",
  });
}

function maybeStored(name: string, error: unknown): unknown {
  if (!(error instanceof AppError)) return error;
  const text = `${quoteName(name)} may be stored in part on the server: ${error.message}`;
  return new AppError(error.code, text, { cause: error, advice: "Look there before you put it again" });
}

/** Counts what moves, with its CRC-32, and tells of it. */
async function countPieces(sizeBytes: number | undefined, onProgress: OnProgress) {
  const crc32 = await crc32For(sizeBytes);
  let crc = 0;
  let moved = 0;
  const onPiece: OnPiece = (piece, bytes) => {
    crc = crc32(piece, crc);
    moved = bytes;
    onProgress({ phase: "moving", bytes, sizeBytes });
  };
  onProgress({ phase: "moving", bytes: 0, sizeBytes });
  return {
    onPiece,
    flushing: () => onProgress({ phase: "flushing", bytes: moved, sizeBytes }),
    result: (name: string): TransferResult => ({ name, sizeBytes: moved, crc, resumedBytes: 0, reusedBytes: 0 }),
  };
}
