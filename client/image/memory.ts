/** A file that is got to be looked at only: it stays in memory, and is never larger than what is drawn. */
import { AppError } from "../../protocol/errors.ts";
import type { Draft, FileFacts } from "../../protocol/files/tree.ts";
import type { Destination } from "../get.ts";
import { SHOWN_BYTES_MAX } from "./draw.ts";

export class MemoryDestination implements Destination {
  #pieces: Uint8Array<ArrayBuffer>[] = [];
  #sizeBytes = 0;

  /** What came; complete once the transfer is. */
  async bytes(): Promise<Uint8Array> {
    return new Uint8Array(await new Blob(this.#pieces).arrayBuffer());
  }

  /** Never, so that nothing comes before its size is known. */
  isFresh(): boolean {
    return false;
  }

  create({ sizeBytes = 0 }: FileFacts): Promise<Draft> {
    if (sizeBytes > SHOWN_BYTES_MAX) return Promise.reject(tooLarge());
    this.#pieces = [];
    this.#sizeBytes = 0;
    return Promise.resolve({
      heldBlocks: 0,
      restarted: false,
      readAt: () => 0,
      startAt() {},
      write: (bytes) => {
        this.#sizeBytes += bytes.length;
        if (this.#sizeBytes > SHOWN_BYTES_MAX) throw tooLarge();
        this.#pieces.push(bytes.slice());
      },
      publish: () => Promise.resolve("-"),
      suspend() {},
      discard() {},
    });
  }
}

function tooLarge(): AppError {
  return new AppError("too_large", `Cannot show it: it is larger than ${SHOWN_BYTES_MAX} bytes`, {
    advice: "Get it with app get, and open it in a viewer",
  });
}
