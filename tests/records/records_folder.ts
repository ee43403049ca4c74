/** A CSV file in a directory of its own, and stores over it. */
import { CsvStore, type CsvStoreOptions } from "../../server/mod.ts";
import { temporaryDirectory } from "../support/program.ts";

export interface RecordsFolder extends Disposable {
  readonly path: string;
  readonly file: string;
  /** `LINE:COLUMN REASON` of every fault that a store told of. */
  readonly faults: string[];
  /** A store over the file; another one each time. */
  store(options?: Partial<CsvStoreOptions>): CsvStore;
  read(): string;
  write(content: string | Uint8Array): void;
}

/** With `content` in the file; without it there is no file. */
export function recordsFolder(content?: string | Uint8Array): RecordsFolder {
  const directory = temporaryDirectory();
  const file = `${directory.path}/data.csv`;
  const faults: string[] = [];
  const write = (text: string | Uint8Array) =>
    Deno.writeFileSync(file, typeof text === "string" ? new TextEncoder().encode(text) : text);
  if (content !== undefined) write(content);
  return {
    path: directory.path,
    file,
    faults,
    store: (options) =>
      new CsvStore({
        file,
        isBuiltIn: false,
        onFault: (_, { line, column, reason }) => faults.push(`${line}:${column} ${reason}`),
        ...options,
      }),
    read: () => Deno.readTextFileSync(file),
    write,
    [Symbol.dispose]: () => directory[Symbol.dispose](),
  };
}
