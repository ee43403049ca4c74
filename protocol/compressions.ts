/**
 * The kinds of compression: which there are, which this program can, and which of them a connection gets. How they are
 * done is `exchange/compression.ts`.
 */

/** Best first. */
export const COMPRESSIONS = ["zstd", "deflate"] as const;
export type Compression = typeof COMPRESSIONS[number];

/** What a person or a program wants. */
export const COMPRESS_CHOICES = ["auto", "on", "off"] as const;
export type CompressChoice = typeof COMPRESS_CHOICES[number];

/** Of all commands that move files, and of `serve`. */
export const COMPRESS_OPTION = {
  name: "compress",
  kind: "choice",
  choices: COMPRESS_CHOICES,
  default: "auto",
  help: "Compress what gets smaller; auto: where that is likely to pay",
} as const;

/** The only version check: Deno 2.5 has the functions for zstd, which throw. */
const HAS_ZSTD = Number(/^2\.(\d+)\./.exec(Deno.version.deno)?.[1] ?? 99) >= 9;

/** What this program can do, best first. */
export function ownCompressions(): readonly Compression[] {
  return HAS_ZSTD ? COMPRESSIONS : ["deflate"];
}

/** The best of `own` that is in the list that the peer offered, such as "zstd,deflate"; `undefined` for none. */
export function chooseCompression(
  offered: string | undefined,
  own: readonly Compression[] = ownCompressions(),
): Compression | undefined {
  const names = offered?.split(",") ?? [];
  return own.find((name) => names.includes(name));
}

/** What a client says that it can: nothing where it would only cost time. `peer` is as in `ByteStream`. */
export function offeredCompressions(choice: CompressChoice, peer: string): string | undefined {
  const isLoopback = /^(127\.|\[::1\]|\[::ffff:127\.)/.test(peer);
  if (choice === "off" || choice === "auto" && isLoopback) return undefined;
  return ownCompressions().join(",");
}
