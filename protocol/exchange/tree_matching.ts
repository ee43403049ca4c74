/**
 * Which new files are files that go, under another name: those with the same size and digest. Size, name and time only
 * say where to look first. Each file that goes is read at most once, and only if a new one has its size; how long it takes
 * does not depend on how many of them are alike. Who reads, and who asks the sender, is handed in.
 */
import { splitName } from "../names.ts";
import type { Extra } from "./tree_removal.ts";
import type { Place } from "./tree_told.ts";

/** A new file, and which one it was. */
export interface Move {
  readonly place: Place;
  readonly from: Extra;
}

export interface MatchingOptions {
  /** The digests of new files, as the sender has them; `undefined` for what cannot be read. */
  readonly askFor: (places: readonly Place[]) => Promise<readonly (Uint8Array | undefined)[]>;
  /** Those of files that go. `verifyAlive`, if the sender was asked meanwhile, throws when its answer cannot come. */
  readonly digestsOf: (
    extras: readonly Extra[],
    verifyAlive?: () => void,
  ) => Promise<readonly (Uint8Array | undefined)[]>;
}

/** So many digests are asked for in one message. */
const ASKED_TOGETHER = 512;

/** So many are read before those that are left are counted. */
const READ_TOGETHER = 32;

/** Moves in the order of `places`. */
export async function matchMoves(
  places: readonly Place[],
  extras: readonly Extra[],
  options: MatchingOptions,
): Promise<Move[]> {
  const sizes = new Set(places.map(({ told }) => told.sizeBytes));
  const isCandidate = ({ entry }: Extra) => entry.kind === "file" && sizes.has(entry.sizeBytes);
  const matching = new Matching(extras.filter(isCandidate), options);
  const possible = places.filter((place) => matching.has(place));
  for (let start = 0; start < possible.length; start += ASKED_TOGETHER) {
    await matching.matchLikely(possible.slice(start, start + ASKED_TOGETHER));
  }
  await matching.matchOthers();
  return matching.moves.sort((a, b) => a.place.number - b.place.number);
}

interface Candidate {
  readonly extra: Extra;
  isRead: boolean;
  isTaken: boolean;
  /** What is in it, once it was read. */
  content: string | undefined;
}

/** A new file by its content; none of the likely ones was it. */
interface Unmatched {
  readonly place: Place;
  readonly content: string;
}

class Matching {
  readonly moves: Move[] = [];
  readonly #options: MatchingOptions;
  readonly #bySize = new Map<number, Candidate[]>();
  /** By name, and by time; the first one at the end. */
  readonly #byHint = new Map<string, Candidate[]>();
  /** Those that were read. */
  readonly #byContent = new Map<string, Candidate[]>();
  readonly #unmatched = new Map<number, Unmatched[]>();

  constructor(extras: readonly Extra[], options: MatchingOptions) {
    this.#options = options;
    const candidates = extras.map((extra) => ({ extra, isRead: false, isTaken: false, content: undefined }));
    for (const candidate of candidates) addTo(this.#bySize, candidate.extra.entry.sizeBytes, candidate);
    for (const candidate of candidates.toReversed()) {
      const { name, entry } = candidate.extra;
      for (const hint of hintsOf(splitName(name).base, entry)) addTo(this.#byHint, hint, candidate);
    }
  }

  /** Whether it may be one of them. */
  has({ told }: Place): boolean {
    return this.#bySize.has(told.sizeBytes);
  }

  /** Looks at the likely candidate of each of `places` while the sender looks at them. */
  async matchLikely(places: readonly Place[]): Promise<void> {
    const likely = places.map(({ told }) => this.#takeLikely(hintsOf(told.name, told)));
    const digests = await this.#askAndRead(places, likely.filter((candidate) => candidate !== undefined));
    for (const [index, place] of places.entries()) {
      const digest = digests[index];
      if (!digest) continue;
      const content = contentOf(place.told.sizeBytes, digest);
      if (!this.#moved(place, content, likely[index])) {
        addTo(this.#unmatched, place.told.sizeBytes, { place, content });
      }
    }
  }

  /** Both at once; what went wrong with one of them is thrown when the other is over, too. */
  async #askAndRead(
    places: readonly Place[],
    candidates: readonly Candidate[],
  ): Promise<readonly (Uint8Array | undefined)[]> {
    let failure: unknown;
    const asked = this.#options.askFor(places);
    asked.catch((error) => failure = error);
    const verifyAlive = () => {
      if (failure) throw failure;
    };
    const [answer, read] = await Promise.allSettled([asked, this.#read(candidates, verifyAlive)]);
    if (answer.status === "rejected") throw answer.reason;
    if (read.status === "rejected") throw read.reason;
    return answer.value;
  }

  /** Reads the candidates that are left, as long as there are new files of their size. */
  async matchOthers(): Promise<void> {
    for (const [sizeBytes, unmatched] of this.#unmatched) {
      const left = unmatched.filter(({ place, content }) => !this.#moved(place, content));
      const byContent = Map.groupBy(left.toReversed(), ({ content }) => content);
      let count = left.length;
      const candidates = this.#bySize.get(sizeBytes)!.filter(({ isRead }) => !isRead);
      for (let start = 0; start < candidates.length && count > 0; start += READ_TOGETHER) {
        const some = candidates.slice(start, start + READ_TOGETHER);
        await this.#read(some);
        for (const { content = "" } of some) {
          const place = byContent.get(content)?.pop()?.place;
          if (place && this.#moved(place, content)) count--;
        }
      }
    }
  }

  /** Whether one of those that were read is `place`: then that is noted. */
  #moved(place: Place, content: string, likely?: Candidate): boolean {
    const candidate = this.#take(content, likely);
    if (candidate) this.moves.push({ place, from: candidate.extra });
    return candidate !== undefined;
  }

  /** One that was not looked at yet. */
  #takeLikely(hints: readonly string[]): Candidate | undefined {
    for (const hint of hints) {
      const candidates = this.#byHint.get(hint);
      for (let candidate = candidates?.pop(); candidate; candidate = candidates?.pop()) {
        if (candidate.isRead) continue;
        candidate.isRead = true;
        return candidate;
      }
    }
  }

  /** Looks what is in them. */
  async #read(candidates: readonly Candidate[], verifyAlive?: () => void): Promise<void> {
    const digests = await this.#options.digestsOf(candidates.map(({ extra }) => extra), verifyAlive);
    for (const [index, candidate] of candidates.entries()) {
      candidate.isRead = true;
      const digest = digests[index];
      if (!digest) continue;
      candidate.content = contentOf(candidate.extra.entry.sizeBytes, digest);
      addTo(this.#byContent, candidate.content, candidate);
    }
  }

  #take(content: string, likely: Candidate | undefined): Candidate | undefined {
    const candidates = this.#byContent.get(content);
    let candidate = likely?.content === content && !likely.isTaken ? likely : candidates?.pop();
    while (candidate?.isTaken) candidate = candidates?.pop();
    if (candidate) candidate.isTaken = true;
    return candidate;
  }
}

/** Where to look first, the best one first. A name has no slash, so the two kinds differ. */
function hintsOf(base: string, { sizeBytes, mtimeMs }: { sizeBytes: number; mtimeMs: number }): string[] {
  return [`${sizeBytes}/${base}`, `${sizeBytes}//${mtimeMs}`];
}

function contentOf(sizeBytes: number, digest: Uint8Array): string {
  return `${sizeBytes}/${String.fromCharCode(...digest)}`;
}

function addTo<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}
