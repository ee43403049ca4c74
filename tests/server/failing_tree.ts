/** A tree of files and a store of records whose calls fail where a test says so, in every way that JavaScript knows. */
import type { Draft, FileTree, Source } from "../../protocol/files/tree.ts";
import type { RecordStore } from "../../server/mod.ts";

/** What no peer may be told. */
export const SECRET = "/secret/path";

/** Ways to fail; each is called in place of what was asked for. */
export const FAILURES: Readonly<Record<string, () => unknown>> = {
  "throws": () => {
    throw new TypeError(`${SECRET} is not a function`);
  },
  "rejects": () => Promise.reject(new Error(`${SECRET} is lost`)),
  "throws a text": () => {
    throw SECRET;
  },
  "rejects with nothing": () => Promise.reject(undefined),
  "throws what is no text either": () => {
    throw Object.create(null);
  },
};

/** Which call fails now, and how. */
export interface Failing {
  /** Such as `tree.open` or `draft.write`; the second call of it with ` 2` behind it. */
  seam?: string | undefined;
  fail: () => unknown;
}

/** Those that fail at once, for calls that give no promise. */
export const SYNCHRONOUS = Object.entries(FAILURES).filter(([how]) => how.startsWith("throws"));

export function failingTree(tree: FileTree, failing: Failing): FileTree {
  return wrap("tree", tree, failing, {
    open: async (name: string) => wrap("source", await tree.open(name), failing),
    create: async (...args: Parameters<FileTree["create"]>) => wrap("draft", await tree.create(...args), failing),
    async *list(directory: string, options: { all: boolean }) {
      if (failing.seam === "tree.list") await failing.fail();
      for await (const batch of tree.list(directory, options)) {
        yield batch;
        if (failing.seam === "tree.list 2") await failing.fail();
      }
    },
  });
}

export function failingRecords(records: RecordStore, failing: Failing): RecordStore {
  return wrap("records", records, failing);
}

/** What gives something back does so before it fails. */
const ENDS: ReadonlySet<string> = new Set(["dispose", "suspend", "discard"]);

function wrap<T extends FileTree | Source | Draft | RecordStore>(
  kind: string,
  inner: T,
  failing: Failing,
  others: Readonly<Record<string, unknown>> = {},
): T {
  const counts = new Map<string, number>();
  return new Proxy(inner, {
    get(_, key) {
      const name = typeof key === "symbol" ? "dispose" : key;
      const value = others[name] ?? Reflect.get(inner, key, inner);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        const count = (counts.get(name) ?? 0) + 1;
        counts.set(name, count);
        const isListing = name === "list"; // which fails in its own place
        const fails = failing.seam === `${kind}.${name}${count > 1 ? ` ${count}` : ""}` && !isListing;
        if (!fails) return value.apply(inner, args);
        if (ENDS.has(name)) value.apply(inner, args);
        return failing.fail();
      };
    },
  });
}
