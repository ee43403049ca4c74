/** A shared directory for one test, with room outside it, and looks at it that do not go through the tree. */
import { crc32 } from "node:zlib";
import { FILE_SYSTEM, type FileSystem } from "../../protocol/files/file_system.ts";
import { LocalTree } from "../../protocol/files/local_tree.ts";
import type { LocalTrashOptions } from "../../protocol/files/local_trash.ts";
import type { Draft, FileFacts, IfTaken, Source } from "../../protocol/files/tree.ts";
import { temporaryDirectory } from "../support/program.ts";

/** The operating system, with some of its calls exchanged. */
export function fileSystemWith(exchanged: Partial<FileSystem>): FileSystem {
  const calls = exchanged as Record<string | symbol, unknown>;
  return new Proxy({} as FileSystem, { get: (_, name) => calls[name] ?? Reflect.get(FILE_SYSTEM, name) });
}

export class TemporaryTree implements Disposable {
  /** The shared directory. */
  readonly path: string;
  /** A directory beside it, whose content nobody may see. */
  readonly outside: string;
  readonly tree: LocalTree;
  readonly #directory = temporaryDirectory();

  constructor(exchanged: Partial<FileSystem> = {}, trash?: LocalTrashOptions) {
    this.path = `${this.#directory.path}/share`;
    this.outside = `${this.#directory.path}/outside`;
    Deno.mkdirSync(this.path);
    Deno.mkdirSync(this.outside);
    this.tree = new LocalTree(this.path, fileSystemWith(exchanged), trash);
  }

  at(name: string): string {
    return `${this.path}/${name}`;
  }

  /** Writes a file without the tree, making its parents. */
  file(name: string, content: string | Uint8Array = name): void {
    Deno.mkdirSync(this.at(name).replace(/\/[^/]*$/, ""), { recursive: true });
    Deno.writeFileSync(this.at(name), typeof content === "string" ? new TextEncoder().encode(content) : content);
  }

  read(name: string): string {
    return Deno.readTextFileSync(this.at(name));
  }

  /** The names of our own files, wherever they lie. */
  reserved(): string[] {
    return walk(this.path).filter((name) => /(^|\/)\.app-[^/]*$/i.test(name));
  }

  /** Every other file: name -> what tells its content apart. */
  visible(): Record<string, string> {
    const names = walk(this.path).filter((name) => !/(^|\/)\.app-/i.test(name));
    return Object.fromEntries(names.map((name) => [name, fingerprint(Deno.readFileSync(this.at(name)))]));
  }

  [Symbol.dispose](): void {
    this.#directory[Symbol.dispose]();
  }
}

/** Size and checksum: short in a failed comparison. */
export function fingerprint(bytes: Uint8Array): string {
  return `${bytes.length} bytes, CRC ${crc32(bytes).toString(16)}`;
}

/** Every regular file below `path`, sorted; links are passed over. */
function walk(path: string, prefix = ""): string[] {
  return [...Deno.readDirSync(path)].flatMap(({ name, isDirectory, isFile }) =>
    isDirectory ? walk(`${path}/${name}`, `${prefix}${name}/`) : isFile ? [prefix + name] : []
  ).sort();
}

/** Stores `bytes` in one go; the name that they got. */
export async function store(
  tree: LocalTree,
  name: string,
  bytes: Uint8Array,
  { ifTaken = "error", ...facts }: FileFacts & { ifTaken?: IfTaken } = {},
): Promise<string> {
  const draft = await tree.create(name, { sizeBytes: bytes.length, mtimeMs: 1_700_000_000_000, ...facts }, ifTaken);
  await draft.startAt(0);
  await draft.write(bytes);
  return await draft.publish();
}

/** All that can be read from `source`, from `offset` on. */
export async function readAll(source: Source | Draft, offset = 0): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  const piece = new Uint8Array(100_000);
  for (let count; (count = await source.readAt(offset, piece)) > 0; offset += count) pieces.push(piece.slice(0, count));
  return new Uint8Array(await new Blob(pieces as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}

export const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
export const bytesOf = (text: string) => new TextEncoder().encode(text);
