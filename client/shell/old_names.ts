/** The names that the old program for countries and capitals had for its commands. Pure. */

/** Old name -> ours. */
export const OLD_NAMES: Readonly<Record<string, string>> = {
  COMMANDS: "help",
  GET_CITY: "capital",
  GET_POPULATION: "population",
  ADD_NEW_COUNTRY: "add",
  HEART: "ping",
  STOP: "exit",
};

/** A line in old words, in ours; any other as it is. The old program took all behind the name for one text. */
export function translateOld(words: readonly string[]): readonly string[] {
  const [old = "", ...rest] = words;
  if (!Object.hasOwn(OLD_NAMES, old)) return words;
  const name = OLD_NAMES[old]!;
  const options = rest.filter((word) => word.startsWith("--"));
  const text = rest.filter((word) => !word.startsWith("--")).join(" ");
  if (text === "") return [name, ...options];
  if (name === "capital" || name === "population") return [name, ...options, text];
  if (name !== "add" || !text.includes(",")) return [name, ...rest];
  return [name, ...options, ...text.split(",").map((part) => part.trim())];
}
