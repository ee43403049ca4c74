/** Writes the command tables of the README anew, from the tables of options. Run: deno run -A tests/support/write_readme_tables.ts */
import { commandTables, END, START } from "./readme_tables.ts";

const path = new URL("../../README.md", import.meta.url);
const text = Deno.readTextFileSync(path);
const before = text.slice(0, text.indexOf(START) + START.length);
const after = text.slice(text.indexOf(END));
Deno.writeTextFileSync(path, `${before}\n\n${await commandTables()}\n\n${after}`);
