/**
 * Random directories on the disk, random edits of them, and what tells two of them apart: kinds, bytes, times in ms, and
 * permission bits, and where links point.
 */
import { lutimesSync } from "node:fs";
import { crc32 } from "node:zlib";
import type { Random } from "./random.ts";

const NAMES = ["a", "b", "c.txt", "d e", "ä", "日本", "🙂", "-x", "é.tar.gz", "Z", "_", "0", "~", "#1", "a.b"];
/** Told apart by what nobody sees, or meaning something elsewhere. */
const ODD_NAMES = ["å", "%41", "'q'", "$x;y&", "(1)", " lead", "a-", "ﬀ", "x".repeat(200)];
const MODES = [0o644, 0o600, 0o755, 0o664, 0o444, 0o777];
const DIRECTORY_MODES = [0o755, 0o700, 0o775];
const SIZES = [0, 1, 10, 100, 5_000, 70_000];
/** Larger than a frame, and than a block. */
const LARGE_SIZES = [300_000, 1_200_000];

const TIME_START_MS = 1_500_000_000_000;

/** Fills the directory at `path` with up to `count` entries below it. */
export function makeRandomTree(random: Random, path: string, count: number): void {
  Deno.mkdirSync(path, { recursive: true });
  for (let made = 0; made < count; made++) makeEntry(random, path, pickDirectory(random, path));
  setTimes(random, path);
  setTime(random, path);
}

/** Adds a directory with more files than are listed together, or one that is far below. */
export function makeExtremes(random: Random, path: string): void {
  const deep = `${path}/${
    Array.from({ length: 2 + random.below(25) }, () => random.pick(ODD_NAMES.slice(0, -1))).join("/")
  }`;
  const wide = `${path}/wide`;
  const count = 200 + random.below(400);
  for (const directory of [deep, wide]) Deno.mkdirSync(directory, { recursive: true });
  for (let number = 0; number < count; number++) Deno.writeTextFileSync(`${wide}/${number}`, `${random.below(10)}`);
  for (const name of ODD_NAMES) writeRandom(random, `${deep}/${name}`);
  setTimes(random, path);
}

/** Changes up to `count` entries: content, time alone, bits, kind, name; removes some and makes others. Also the top itself. */
export function editRandomly(random: Random, path: string, count: number): void {
  if (random.below(4) === 0) Deno.chmodSync(path, random.pick(DIRECTORY_MODES));
  for (let edit = 0; edit < count; edit++) {
    const directory = pickDirectory(random, path);
    const entries = [...Deno.readDirSync(directory)].map(({ name }) => name).filter(isTheirs).sort();
    if (entries.length === 0 || random.below(4) === 0) makeEntry(random, path, directory);
    else editEntry(random, path, directory, random.pick(entries));
  }
  setTimesOfChanged(random, path);
}

/** rsync takes times of the same second for equal, so what was changed just now gets a time of its own. */
function setTimesOfChanged(random: Random, path: string): void {
  for (const { name, isDirectory } of [...Deno.readDirSync(path)].sort((a, b) => a.name < b.name ? -1 : 1)) {
    if (isDirectory && isTheirs(name)) setTimesOfChanged(random, `${path}/${name}`);
  }
  if (Deno.statSync(path).mtime!.getTime() > TIME_START_MS + 2 ** 32) setTime(random, path);
}

function editEntry(random: Random, top: string, directory: string, name: string): void {
  const path = `${directory}/${name}`;
  const info = Deno.lstatSync(path);
  switch (random.below(6)) {
    case 0:
      return Deno.removeSync(path, { recursive: true });
    case 1:
      Deno.removeSync(path, { recursive: true });
      return makeEntry(random, top, directory, name);
    case 2:
      return info.isFile ? writeRandom(random, path) : undefined;
    case 3:
      return setTime(random, path);
    case 4:
      return move(path, `${pickDirectory(random, top)}/${random.pick(NAMES)}`, info.isFile);
    default:
      if (info.isSymlink) return;
      return Deno.chmodSync(path, random.pick(info.isFile ? MODES : DIRECTORY_MODES));
  }
}

/** Not to where something is, nor into itself; nor up, with links that would lead out of the tree there. */
function move(path: string, to: string, isFile: boolean): void {
  const isUp = to.split("/").length < path.split("/").length;
  if (!exists(to) && !to.startsWith(`${path}/`) && (isFile || !isUp)) Deno.renameSync(path, to);
}

function makeEntry(random: Random, top: string, directory: string, name = random.pick(NAMES)): void {
  const path = `${directory}/${name}`;
  if (exists(path)) return;
  const kind = random.below(10);
  if (kind < 3) return Deno.mkdirSync(path, { mode: random.pick(DIRECTORY_MODES) });
  if (kind < 4) {
    Deno.symlinkSync(randomTarget(random, directory.slice(top.length)), path);
    return setTime(random, path);
  }
  writeRandom(random, path);
}

function randomTarget(random: Random, directory: string): string {
  const depth = directory.split("/").length - 1;
  return "../".repeat(random.below(depth + 1)) + random.pick(NAMES);
}

function writeRandom(random: Random, path: string): void {
  const sizes = random.below(20) === 0 ? LARGE_SIZES : SIZES;
  Deno.writeFileSync(path, random.bytes(random.pick(sizes) + random.below(3)));
  Deno.chmodSync(path, random.pick(MODES));
  setTime(random, path);
}

function setTimes(random: Random, path: string): void {
  const entries = [...Deno.readDirSync(path)].sort((a, b) => a.name < b.name ? -1 : 1);
  for (const { name, isDirectory } of entries) {
    if (isDirectory) setTimes(random, `${path}/${name}`);
    setTime(random, `${path}/${name}`);
  }
}

function setTime(random: Random, path: string): void {
  const time = new Date(TIME_START_MS + random.below(2 ** 32));
  lutimesSync(path, time, time);
}

function pickDirectory(random: Random, path: string): string {
  const entries = [...Deno.readDirSync(path)].filter(({ name, isDirectory }) => isDirectory && isTheirs(name));
  const below = entries.map(({ name }) => name).sort();
  if (below.length === 0 || random.below(3) === 0) return path;
  return pickDirectory(random, `${path}/${random.pick(below)}`);
}

/** Whether it is none of our own names, which nobody else changes. */
function isTheirs(name: string): boolean {
  return !name.startsWith(".app-");
}

/** Every entry below `path` but our own: name -> what it is. Times are in whole ms. What goes away meanwhile is left out. */
export function describeTree(path: string, prefix = ""): Record<string, string> {
  const all: Record<string, string> = {};
  for (const { name } of [...Deno.readDirSync(path)].sort((a, b) => a.name < b.name ? -1 : 1)) {
    const entry = `${path}/${name}`;
    const info = isTheirs(name) ? lstatIfThere(entry) : undefined;
    if (!info) continue;
    const facts = factsOf(info);
    if (info.isSymlink) all[prefix + name] = `${facts} link to ${Deno.readLinkSync(entry)}`;
    else if (info.isDirectory) {
      all[`${prefix}${name}/`] = facts;
      Object.assign(all, describeTree(entry, `${prefix}${name}/`));
    } else if (info.isFile) {
      all[prefix + name] = `${facts} ${info.size} bytes, CRC ${crc32(Deno.readFileSync(entry)).toString(16)}`;
    } else all[prefix + name] = "something else";
  }
  return all;
}

/** Time and bits of the directory `path` itself. */
export function describeTop(path: string): string {
  return factsOf(Deno.statSync(path));
}

function factsOf({ mode, mtime }: Deno.FileInfo): string {
  return `${((mode ?? 0) & 0o7777).toString(8)} ${mtime?.getTime()}`;
}

function exists(path: string): boolean {
  return lstatIfThere(path) !== undefined;
}

function lstatIfThere(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
