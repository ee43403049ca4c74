/** The list of a server of the format `share`: names and nothing else. */
import { AppError } from "../../protocol/errors.ts";
import type { QuietReader } from "../../protocol/exchange/quiet_reader.ts";
import { encodeShareRequest, parseShareList } from "../../protocol/wire/share.ts";
import { notOfFormat, type OldServer } from "./old_server.ts";

/** More than this is no list of names. */
const LIST_BYTES_MAX = 16 * 1_048_576;

/** The names in the order of the server. They are not checked: escape them before you show them. */
export async function listOldServer(server: OldServer): Promise<string[]> {
  const request = encodeShareRequest({ command: "list", name: "" });
  return await server.ask(request, async (reader) => {
    const text = await readText(reader);
    // A separator stands behind every name: without it these are words, such as those of a server that refuses.
    if (text !== "" && !/,\s*$/.test(text)) throw notOfFormat(reader, "share");
    return parseShareList(text);
  });
}

async function readText(reader: QuietReader): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const buffer = new Uint8Array(65_536);
  let text = "";
  try {
    for (let count = await reader.read(buffer); count !== null; count = await reader.read(buffer)) {
      text += decoder.decode(buffer.subarray(0, count), { stream: true });
      if (reader.bytesRead > LIST_BYTES_MAX) throw new AppError("limit", "The list of the server has no end");
    }
    return text + decoder.decode();
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError("malformed", `The list of ${reader.peer} is not UTF-8`, { cause });
  }
}
